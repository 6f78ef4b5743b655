/* Writes the pages that are lists of what the code or its tests define once:
 * `generate tunables`, `generate counters` and `generate states`, Markdown on
 * standard output.
 * `make docs` runs it; a test compares its output with the committed pages.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "docs/states_page.h"

typedef struct Tunable {
    const char *type, *name, *linux_value, *rfc_value, *least, *most, *unit, *doc;
} Tunable;

#define TEXT_OF(x) #x
#define ROW(field, type, name, linux_value, rfc_value, least, most, unit, doc)                     \
    { #type, name, TEXT_OF(linux_value), TEXT_OF(rfc_value), TEXT_OF(least), TEXT_OF(most),        \
      unit,  doc },

static const Tunable tcp_tunables[] = {
#define TCP_PARAM ROW
#include "models/tcp/params.def"
#undef TCP_PARAM
};
static const Tunable ip_tunables[] = {
#define IP_PARAM ROW
#include "models/ip/params.def"
#undef IP_PARAM
};
static const Tunable node_tunables[] = {
#define NODE_PARAM ROW
#include "models/node/params.def"
#undef NODE_PARAM
};

typedef struct Counter {
    const char *group, *name, *meaning;
} Counter;

static const Counter counters[] = {
#define MIB(group, name, meaning) { #group, #name, meaning },
#define MIB_HOT                   MIB
#include "models/node/mib.def"
#undef MIB_HOT
#undef MIB
};

/* A value as a person writes it: no macro names, no quotation marks, and a bar
 * would end the cell. */
static void
print_cell(const char *text)
{
    if (strcmp(text, "UINT32_MAX") == 0 || strcmp(text, "4294967295U") == 0 ||
        strcmp(text, "(4294967295U)") == 0)
        text = "4294967295";
    else if (strcmp(text, "INT32_MAX") == 0 || strcmp(text, "(2147483647)") == 0)
        text = "2147483647";
    for (; *text != '\0'; text++) {
        if (*text == '|')
            putchar('\\');
        if (*text != '"')
            putchar(*text);
    }
}

static void
print_tunables(const char *title, const Tunable *tunables, size_t count)
{
    printf("\n## %s\n\n", title);
    printf("| name | linux | rfc | from | to | unit | what it does |\n");
    printf("| --- | --- | --- | --- | --- | --- | --- |\n");
    for (const Tunable *t = tunables; t < tunables + count; t++) {
        bool is_text = strstr(t->type, "char") != NULL;
        const char *cells[] = { t->linux_value,         t->rfc_value, is_text ? "" : t->least,
                                is_text ? "" : t->most, t->unit,      t->doc };

        printf("| `%s` |", t->name);
        for (size_t i = 0; i < sizeof cells / sizeof *cells; i++) {
            putchar(' ');
            print_cell(cells[i]);
            printf(" |");
        }
        putchar('\n');
    }
}

static void
write_tunables(void)
{
    printf(
        "# Tunables\n\n"
        "Every tunable of a host, with the values that the profiles `linux` and `rfc` start\n"
        "from. A scenario sets them with `sysctl = { [\"name\"] = value }` when it makes a host,\n"
        "or later with `host:sysctl(name, value)`. Names with dots are those of Linux, and mean\n"
        "what they mean there; the leading `net.ipv4.` or `net.core.` may be left out. Names\n"
        "without dots are halfopen's own. A name with `[n]` is one number of a vector.\n"
        "\nThis page is generated: `make docs`.\n");
    print_tunables("TCP", tcp_tunables, sizeof tcp_tunables / sizeof *tcp_tunables);
    print_tunables("IP", ip_tunables, sizeof ip_tunables / sizeof *ip_tunables);
    print_tunables("Below IP", node_tunables, sizeof node_tunables / sizeof *node_tunables);
}

static void
write_counters(void)
{
    const char *group = "";

    printf(
        "# Counters\n\n"
        "Every host counts these, by the names that Linux's `nstat` prints (group and name as\n"
        "one word there: `TcpExtListenOverflows`). The group `Host` is halfopen's own. They are\n"
        "in `counters.tsv` over time, in `summary.json` at the end, and `host:counter(name)`\n"
        "reads one. A name that no part of halfopen counts yet stays 0, as it does in Linux\n"
        "while nothing happens.\n"
        "\nThis page is generated: `make docs`.\n");
    for (const Counter *c = counters; c < counters + sizeof counters / sizeof *counters; c++) {
        if (strcmp(c->group, group) != 0) {
            group = c->group;
            printf("\n## %s\n\n| name | meaning |\n| --- | --- |\n", group);
        }
        printf("| `%s` | ", c->name);
        print_cell(c->meaning);
        printf(" |\n");
    }
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "tunables") == 0) {
        write_tunables();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "counters") == 0) {
        write_counters();
        return 0;
    }
    if (argc == 2 && strcmp(argv[1], "states") == 0) {
        write_states_page();
        return 0;
    }
    fprintf(stderr, "usage: generate tunables|counters|states\n");
    return 2;
}
