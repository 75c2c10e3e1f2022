/* The parameters that are no variables: $1.., $#, $? and their like. */
#ifndef PARAMETERS_H
#define PARAMETERS_H

/* The value of a variable or a parameter, NULL when it is not set; numbers are written to `number`. */
const char *parameter_value(const char *name, char number[16]);
/* Replace $1.. by copies of these. */
void parameters_set(char *const *values, int count);

/* A function's own parameters, for as long as it runs. */
struct parameters {
    char **values;
    int count;
};
struct parameters parameters_replace(char *const *values, int count);
void parameters_restore(struct parameters saved);
void parameters_shift(int count);

#endif
