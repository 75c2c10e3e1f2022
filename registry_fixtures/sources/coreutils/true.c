/* true: succeeds. */
#include "applet.h"

const char true_help[] = "Usage: true [ignored command line arguments]\n  or:  true OPTION\nExit with a status code indicating success.\n";

int true_main(int argc, char **argv)
{
    (void)argc, (void)argv;
    return 0;
}
