/* $(( )): C expressions over 64-bit integers, with the shell's variables. */
#ifndef ARITHMETIC_H
#define ARITHMETIC_H

/* The value of an expression; 0 with a message and shell.skip set when it is none. */
long long arithmetic(const char *expression);

#endif
