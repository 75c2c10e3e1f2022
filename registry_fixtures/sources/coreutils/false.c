/* false: fails. */
#include "applet.h"

const char false_help[] = "Usage: false [ignored command line arguments]\n  or:  false OPTION\nExit with a status code indicating failure.\n";

int false_main(int argc, char **argv)
{
    (void)argc, (void)argv;
    return 1;
}
