/* tee: standard input to standard output and to files. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "options.h"
#include "reader.h"

const char tee_help[] =
    "Usage: tee [OPTION]... [FILE]...\n"
    "Copy standard input to each FILE, and also to standard output.\n\n"
    "  -a, --append              append to the given FILEs, do not overwrite\n"
    "  -i, --ignore-interrupts   ignore interrupt signals\n"
    "  -p                        go on after an error in writing to one of them\n";

int tee_main(int argc, char **argv)
{
    static const struct long_option longs[] = {
        {"append", 'a', NO_ARGUMENT}, {"ignore-interrupts", 'i', NO_ARGUMENT}, {"output-error", 'p', MAY_HAVE_ARGUMENT}, {0}};
    struct options options;
    options_start(&options, argc, argv, "aip", longs);
    int mode = O_TRUNC;
    for (int code; (code = options_next(&options)) != -1;)
        if (code == 'a')
            mode = O_APPEND;
    int status = 0, targets = options.operand_count + 1;
    int *fds = allocate((size_t)targets * sizeof *fds);
    fds[0] = STDOUT_FILENO;
    for (int i = 1; i < targets; i++) {
        fds[i] = open(options.operands[i - 1], O_WRONLY | O_CREAT | mode, 0666);
        if (fds[i] < 0) {
            applet_warn("%s", quote_name_if_needed(options.operands[i - 1]));
            status = 1;
        }
    }
    static char block[READ_SIZE];
    ssize_t got;
    int alive = 1;
    while (alive > 0 && (got = read_some(STDIN_FILENO, block, sizeof block)) > 0) {
        alive = 0;
        for (int i = 0; i < targets; i++) {
            if (fds[i] >= 0 && !write_all(fds[i], block, (size_t)got)) {
                applet_warn("%s", i == 0 ? "'standard output'" : quote_name_if_needed(options.operands[i - 1]));
                status = 1;
                fds[i] = -1;
            }
            alive += fds[i] >= 0;
        }
    }
    if (alive > 0 && got < 0) {
        applet_warn("read error");
        status = 1;
    }
    for (int i = 1; i < targets; i++)
        if (fds[i] >= 0 && close(fds[i]) != 0) {
            applet_warn("%s", quote_name_if_needed(options.operands[i - 1]));
            status = 1;
        }
    return status;
}
