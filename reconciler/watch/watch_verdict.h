/* watch_verdict.h - whose fault is it, at first sight: the node's or the job's?
 *
 * The agent does at once what is safe on any cluster: a node that is certainly bad takes
 * no new job (a drain never ends a running one). Everything finer (repetition, many
 * nodes at once, which repair) is judged by the daemon, which sees the whole cluster. */
#ifndef RC_WATCH_VERDICT_H
#define RC_WATCH_VERDICT_H

enum rc_verdict_of {
    RC_VERDICT_NOTHING, /* context, or benign */
    RC_VERDICT_TELL,    /* the job is suspect, or it may pass: told, no drain */
    RC_VERDICT_DRAIN,   /* the node is guilty */
};

/* class_name as rc_kernel_classify() and the probes give it. An Xid that is not in the
 * table is told. */
enum rc_verdict_of rc_watch_verdict(const char *class_name);

#endif
