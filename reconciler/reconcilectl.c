/* reconcilectl.c - the operator's command; everything is in ctl_main.c. */
#include <stdio.h>

#include "reconciler/ctl_main.h"

int
main(int argc, char **argv)
{
    int status = rc_ctl_run(argc, argv, stdout, stderr);

    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "reconcilectl: output cannot be written\n");
        return RC_CTL_REFUSED;
    }
    return status;
}
