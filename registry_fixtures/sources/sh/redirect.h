/* Redirections: first their words are expanded, then they are done, then perhaps undone. */
#ifndef REDIRECT_H
#define REDIRECT_H

#include <stdbool.h>
#include <stddef.h>

#include "ast.h"

struct planned;

struct plan {
    struct planned *items;
    size_t count;
};

/* Expand what stands behind the operators; false with a message when that fails. plan_free undoes it. */
bool plan_redirections(const struct redirection *redirections, struct plan *plan);
/* Do them; false with a message. With `undo`, redirections_undo brings the descriptors back, also after a failure. */
bool redirections_do(struct plan *plan, bool undo);
void redirections_undo(struct plan *plan);
void plan_free(struct plan *plan);

#endif
