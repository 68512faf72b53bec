/* model_faults.c - the table of asked-for faults.
 *
 * Rows are used in the order in which they were added; a spent row is removed
 * and the later ones move up, so the order stays. */
#include "simulator/model/model_faults.h"

#include <string.h>

bool
rc_sim_faults_add(struct rc_sim_faults *f, const struct rc_sim_fault *fault)
{
    if (fault->left == 0 || fault->action[0] == '\0')
        return false;
    for (unsigned i = 0; i < RC_SIM_FAULTS_MAX; i++) {
        if (f->row[i].action[0] != '\0')
            continue;
        f->row[i] = *fault;
        return true;
    }
    return false;
}

static void
faults_remove(struct rc_sim_faults *f, unsigned at)
{
    for (; at + 1 < RC_SIM_FAULTS_MAX; at++)
        f->row[at] = f->row[at + 1];
    f->row[RC_SIM_FAULTS_MAX - 1] = (struct rc_sim_fault){0};
}

bool
rc_sim_faults_take(struct rc_sim_faults *f, const char *action, struct rc_sim_fault *ret)
{
    for (unsigned i = 0; i < RC_SIM_FAULTS_MAX && f->row[i].action[0] != '\0'; i++) {
        struct rc_sim_fault *row = &f->row[i];

        if (strcmp(row->action, "*") != 0 && strcmp(row->action, action) != 0)
            continue;
        if (row->skip > 0) {
            row->skip--;
            continue;
        }
        *ret = *row;
        f->hits++;
        if (--row->left == 0)
            faults_remove(f, i);
        return true;
    }
    return false;
}

void
rc_sim_faults_clear(struct rc_sim_faults *f)
{
    memset(f->row, 0, sizeof(f->row));
}
