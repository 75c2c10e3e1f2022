/* A question on standard error, a yes or no from standard input. */
#ifndef CONFIRM_H
#define CONFIRM_H
#include <stdbool.h>

/* Prints "NAME: " and the question, and reads a line: yes if it begins with y or Y. */
bool confirm(const char *format, ...);
#endif
