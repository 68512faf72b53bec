/* compare_report.h - the reports of a study whose plays are all there. */
#ifndef RC_COMPARE_REPORT_H
#define RC_COMPARE_REPORT_H

#include "simulator/report/study.h"

/* Text on stdout, HTML and JSON where asked for. RC_STUDY_OK, or the exit status. */
int rc_compare_report(const struct rc_study *s, const struct rc_fleet_result *result);

#endif
