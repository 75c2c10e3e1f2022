#ifndef APPLET_H
#define APPLET_H
/* One applet: its argv as main() would get it; returns the exit status. */
typedef int applet_main(int argc, char **argv);
/* Prints "NAME: " and the message (and ": strerror(errno)" for warn) on stderr; `die` exits with status. */
void applet_warn(const char *format, ...);   /* with errno text */
void applet_warnx(const char *format, ...);  /* without */
_Noreturn void applet_die(int status, const char *format, ...);   /* with errno text */
_Noreturn void applet_diex(int status, const char *format, ...);  /* without */
_Noreturn void applet_usage(const char *usage);  /* "NAME: usage: ..." + Try --help, exit 2 or the manual's status */
extern const char *applet_name;
/* Flushes stdout and reports write errors as GNU does; returns the exit status to use. */
int applet_close_stdout(int status);
#endif
