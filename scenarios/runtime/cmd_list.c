/* halfopen list [DIR]: the scenarios that are here, with their parameters. */
#include <stdio.h>
#include <string.h>

#include "scenarios/runtime/cli.h"
#include "scenarios/runtime/sandbox.h"

static int
by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *
find_scenarios(const char *folder)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(name, ".lua"))
            g_ptr_array_add(files, g_build_filename(folder, name, NULL));
    if (dir != NULL)
        g_dir_close(dir);
    g_ptr_array_sort(files, by_text);
    return files;
}

/* The scenarios of the tree, or those installed beside the library. */
static char *
default_folder(void)
{
    g_autofree char *lib = NULL;

    if (g_file_test("scenarios", G_FILE_TEST_IS_DIR))
        return g_strdup("scenarios");
    lib = sandbox_lib_folder();
    return lib == NULL ? NULL : g_path_get_dirname(lib);
}

/* As a shell takes it: in quotation marks when it has more than a plain word's letters. */
static char *
shell_word(const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-+.,:/%@=";

    return text[0] != '\0' && strspn(text, plain) == strlen(text) ? g_strdup(text)
                                                                  : g_shell_quote(text);
}

static void
print_params(const Lab *lab)
{
    for (unsigned i = 0; i < lab->params->len; i++) {
        const Param *param = lab->params->pdata[i];
        g_autofree char *value = shell_word(param->given);

        printf("      --set %s=%s  (%s)%s%s\n", param->name, value, param_type_name(param->type),
               param->about == NULL ? "" : "  ", param->about == NULL ? "" : param->about);
    }
}

static int
list_file(const char *file)
{
    LabOptions options = { .seed = 1, .until = SIM_NEVER };
    Lab *lab = lab_new(&options);
    int status = EXIT_GOOD;

    if (lab_describe_file(lab, file)) {
        printf("%s\n    %s\n", file, lab->title == NULL ? "(no title)" : lab->title);
        if (lab->about != NULL)
            printf("    %s\n", lab->about);
        print_params(lab);
    } else {
        status = cli_fail("%s", lab_error(lab));
    }
    lab_free(lab);
    return status;
}

int
cmd_list(int argc, char **argv)
{
    g_auto(GStrv) folders = NULL;
    int status;

    if (!cli_parse("[DIR]", "Lists the scenarios of a folder, with their parameters.", NULL, NULL,
                   argc, argv, &folders, &status))
        return status;

    g_autofree char *folder = folders == NULL ? default_folder() : g_strdup(folders[0]);

    if (folder == NULL || !g_file_test(folder, G_FILE_TEST_IS_DIR))
        return cli_fail("list: found no folder of scenarios at %s",
                        folder == NULL ? "scenarios" : folder);

    g_autoptr(GPtrArray) files = find_scenarios(folder);

    if (files->len == 0)
        return cli_fail("list: found no scenario (*.lua) in %s", folder);
    for (unsigned i = 0; i < files->len; i++) {
        int worst = list_file(files->pdata[i]);

        status = MAX(status, worst);
    }
    return status;
}
