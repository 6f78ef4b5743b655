#include "docs/states_page.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/state_table.h"

static const char *const intro =
    "# State by segment\n"
    "\n"
    "A connection in each of TCP's states meets each kind of segment: what it answers, where it "
    "goes, what\n"
    "the user sees, and which rule says so. `linux` is what a current Linux kernel does, `rfc` "
    "what RFC 9293\n"
    "§3.10.7 says, with RFC 5961, RFC 7323, RFC 6191 and RFC 1337.\n"
    "\n"
    "The table was written from those texts, from recordings of a real kernel and from its "
    "documented\n"
    "behaviour; [a test](../tests/tcp/test_states.c) delivers every one of these segments and "
    "compares.\n"
    "This page is generated: `make docs`.\n"
    "\n"
    "## How to read it\n"
    "\n"
    "Segments and answers are written with the names of RFC 9293 §3.3.1, as they were before the "
    "segment\n"
    "came: `RST seq=RCV.NXT+10` is an RST ten beyond what is expected. `SEG.ACK` is the ACK number "
    "of what\n"
    "came, `SEG.END` the number after its last byte, `ISS` and `IRS` are the initial numbers of "
    "this end and\n"
    "of the peer. `ack=ok` acknowledges nothing new, in SYN-RECEIVED our SYN.\n"
    "\n"
    "- **nothing** is silence: the segment is dropped, or taken without a word.\n"
    "- *later* stands before what does not leave at once: a delayed ACK, a SYN sent again.\n"
    "- **≠** marks what the profiles do differently; \"same\" is the same answer, state and user.\n"
    "- User and counters (as `nstat` names them) are given where there is something to see.\n"
    "\n"
    "Except in the rows that speak of timestamps, nobody uses them. The switches that make the "
    "differences,\n"
    "each for itself: `accept_syn_data`, `synsent_rst_resend_syn`, `synrcvd_as_request`,\n"
    "`synrcvd_syn_to_listen`, `strict_sequence`, `rst_tolerance`, `paws_tolerance`, "
    "`reset_errors`,\n"
    "`data_past_fin_resets`, `timewait_by_rfc`, `tcp_rfc1337`, `tcp_fin_timeout`, `quickack`\n"
    "([tunables](manual/tunables.md)).\n";

/* ---- Words ------------------------------------------------------------------------------- */

/* "NXT+10" as the RFC writes it. */
static void
print_number(const char *text, size_t len, const char *next)
{
    if (len >= 3 && strncmp(text, "NXT", 3) == 0)
        printf("%s%.*s", next, (int)(len - 3), text + 3);
    else if (len >= 3 && strncmp(text, "UNA", 3) == 0)
        printf("SND.UNA%.*s", (int)(len - 3), text + 3);
    else if (len == 2 && strncmp(text, "OK", 2) == 0)
        printf("ok");
    else
        printf("%.*s", (int)len, text);
}

/* The words of the table, numbers by their full names. `seq_next`, `ack_next`:
 * what NXT is there; in states without numbers any will do: NULL. */
static void
print_words(const char *text, const char *seq_next, const char *ack_next)
{
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        bool is_seq = strncmp(text, "seq=", 4) == 0, is_ack = strncmp(text, "ack=", 4) == 0;

        if (is_seq || is_ack) {
            printf("%.4s", text);
            if (seq_next == NULL)
                putchar(is_seq ? 'x' : 'y');
            else
                print_number(text + 4, len - 4, is_seq ? seq_next : ack_next);
        } else if (strncmp(text, "none", len) == 0) {
            printf("no flags");
        } else {
            printf("%.*s", (int)len, text);
        }
        text += len;
        if (*text == ' ')
            putchar(*text++);
    }
}

static bool
has_numbers(Situation situation)
{
    return situation != AT_CLOSED && situation != AT_LISTEN;
}

static void
print_segment(Situation situation, unsigned segment)
{
    const char *text = state_segments[segment].text;

    printf("%s<br>`", state_segments[segment].words);
    if (has_numbers(situation))
        print_words(text, "RCV.NXT", "SND.NXT");
    else
        print_words(text, NULL, NULL);
    putchar('`');
}

/* Answers are separated by "; ". */
static void
print_replies(const char *replies)
{
    if (*replies == '\0') {
        printf("nothing");
        return;
    }
    for (;;) {
        const char *end = strstr(replies, "; ");
        size_t len = end != NULL ? (size_t)(end - replies) : strlen(replies);
        char one[128];

        if (strncmp(replies, "later ", 6) == 0) {
            printf("*later* ");
            replies += 6;
            len -= 6;
        }
        snprintf(one, sizeof one, "%.*s", (int)len, replies);
        putchar('`');
        print_words(one, "SND.NXT", "RCV.NXT");
        putchar('`');
        if (end == NULL)
            break;
        printf(", ");
        replies = end + 2;
    }
}

/* ---- The tables ---------------------------------------------------------------------------- */

static void
print_next(const StateOutcome *outcome, Situation situation)
{
    if (outcome->next == STAYS)
        printf(", stays");
    else if (outcome->next == STAYS_ANEW)
        printf(", stays, 2MSL anew");
    else
        printf(" → **%s**", state_next_name(outcome->next, situation));
}

static void
print_outcome(const StateOutcome *outcome, Situation situation)
{
    print_replies(outcome->reply);
    print_next(outcome, situation);
    if (*outcome->user != '\0')
        printf("<br>user: %s", outcome->user);
    if (*outcome->counters != '\0')
        printf("<br>%s", outcome->counters);
    printf("<br><sub>%s</sub>", outcome->rule);
}

static void
print_row(Situation situation, unsigned segment)
{
    const StateOutcome *of_linux = state_outcome(situation, segment, STATE_LINUX);
    const StateOutcome *of_rfc = state_outcome(situation, segment, STATE_RFC);
    bool differ = state_profiles_differ(of_linux, of_rfc);

    printf("| %s", differ ? "**≠** " : "");
    print_segment(situation, segment);
    printf(" | ");
    print_outcome(of_linux, situation);
    printf(" | ");
    if (differ) {
        print_outcome(of_rfc, situation);
    } else {
        printf("same");
        if (strcmp(of_linux->counters, of_rfc->counters) != 0)
            printf("<br>%s", *of_rfc->counters != '\0' ? of_rfc->counters : "no counter");
        if (strcmp(of_linux->rule, of_rfc->rule) != 0)
            printf("<br><sub>%s</sub>", of_rfc->rule);
    }
    printf(" |\n");
}

/* Two situations may share a state's name. */
static const char *
title_of(Situation situation)
{
    switch (situation) {
    case AT_SYN_RECEIVED_BOTH:
        return "SYN-RECEIVED, simultaneous open";
    case AT_FIN_WAIT_1_CLOSED:
        return "FIN-WAIT-1, after close()";
    case AT_FIN_WAIT_2_CLOSED:
        return "FIN-WAIT-2, after close()";
    default:
        return state_situations[situation].state;
    }
}

static void
print_situation(Situation situation)
{
    const StateSituation *at = &state_situations[situation];

    printf("\n## %s\n\n%s", title_of(situation), at->how);
    if (has_numbers(situation))
        printf(" Relative numbers: SND.UNA %u, SND.NXT %u", at->snd_una, at->snd_nxt);
    if (has_numbers(situation) && situation != AT_SYN_SENT)
        printf(", RCV.NXT %u", at->rcv_nxt);
    printf("%s\n\n| what arrives | `linux` | `rfc` |\n| --- | --- | --- |\n",
           has_numbers(situation) ? "." : "");
    for (unsigned i = 0; i < state_n_segments; i++)
        if (state_outcome(situation, i, STATE_LINUX) != NULL)
            print_row(situation, i);
}

/* ---- The overview --------------------------------------------------------------------------- */

/* "RST", "SYN-ACK", "ACK later"; a dot is silence. */
static void
print_short_reply(const char *reply)
{
    if (*reply == '\0') {
        printf("·");
        return;
    }
    if (strncmp(reply, "later ", 6) == 0)
        reply += 6;
    if (strncmp(reply, "SYN,ACK", 7) == 0)
        printf("SYN-ACK");
    else
        printf("%.*s", (int)strcspn(reply, " ,"), reply);
}

static void
print_overview_cell(Situation situation, unsigned segment)
{
    const StateOutcome *of_linux = state_outcome(situation, segment, STATE_LINUX);

    if (of_linux == NULL) {
        printf(" |");
        return;
    }
    printf(" ");
    print_short_reply(of_linux->reply);
    if (of_linux->next != STAYS && of_linux->next != STAYS_ANEW)
        printf(" →&nbsp;%s", state_next_name(of_linux->next, situation));
    if (state_profiles_differ(of_linux, state_outcome(situation, segment, STATE_RFC)))
        printf(" **≠**");
    printf(" |");
}

static void
print_anchor(const char *title)
{
    for (; *title != '\0'; title++) {
        if (isalnum((unsigned char)*title))
            putchar(tolower((unsigned char)*title));
        else if (*title == ' ' || *title == '-')
            putchar('-');
    }
}

static void
print_overview(Situation first, Situation last)
{
    printf("\n| |");
    for (Situation at = first; at <= last; at++) {
        printf(" [%s](#", title_of(at));
        print_anchor(title_of(at));
        printf(") |");
    }
    printf("\n| --- |");
    for (Situation at = first; at <= last; at++)
        printf(" --- |");
    putchar('\n');
    for (unsigned i = 0; i < state_n_segments; i++) {
        bool is_here = false;

        for (Situation at = first; at <= last; at++)
            is_here |= state_outcome(at, i, STATE_LINUX) != NULL;
        if (!is_here)
            continue;
        printf("| %s |", state_segments[i].words);
        for (Situation at = first; at <= last; at++)
            print_overview_cell(at, i);
        putchar('\n');
    }
}

void
write_states_page(void)
{
    unsigned cells = 0, differences = 0;

    for (Situation at = AT_CLOSED; at < N_SITUATIONS; at++)
        for (unsigned i = 0; i < state_n_segments; i++) {
            const StateOutcome *of_linux = state_outcome(at, i, STATE_LINUX);

            cells += of_linux != NULL;
            differences += of_linux != NULL &&
                           state_profiles_differ(of_linux, state_outcome(at, i, STATE_RFC));
        }
    fputs(intro, stdout);
    printf(
        "\n## At a glance\n\n"
        "What Linux answers, and the state that follows if it changes; · is silence. Of %u cells\n"
        "**≠** marks the %u in which the RFCs ask for something else.\n"
        "\nBefore there is a connection:\n",
        cells, differences);
    print_overview(AT_CLOSED, AT_SYN_SENT);
    printf("\nIn a connection:\n");
    print_overview(AT_SYN_RECEIVED, AT_TIME_WAIT);
    printf("\nAfter close(), when nobody is left to read:\n");
    print_overview(AT_FIN_WAIT_1_CLOSED, AT_FIN_WAIT_2_CLOSED);
    for (Situation at = AT_CLOSED; at < N_SITUATIONS; at++)
        print_situation(at);
}
