/* ec2_select.h - which instances a describe is about, row by row and page by page. */
#ifndef RC_EC2_SELECT_H
#define RC_EC2_SELECT_H

#include <stdbool.h>

#include "simulator/world/call.h"

enum { RC_EC2_IDS_MAX = 1000, RC_EC2_STATUS_IDS_MAX = 100 };

struct rc_ec2_selection {
    struct rc_sim_instance *named[RC_EC2_IDS_MAX];
    unsigned named_count;
    uint32_t slot;  /* next one */
    uint32_t limit; /* rows of a page, 0 = all */
};

/* Reads ids, filters and paging of the form. False: an error was answered. */
bool rc_ec2_selection_read(struct rc_call *call, struct rc_ec2_selection *s, unsigned ids_max);
/* The next instance of the selection, NULL at the end. */
struct rc_sim_instance *rc_ec2_selection_next(const struct rc_call *call,
                                              struct rc_ec2_selection *s);
/* Writes nextToken when the page is full and there is more. */
void rc_ec2_page_token(struct rc_call *call, const struct rc_ec2_selection *s);

#endif
