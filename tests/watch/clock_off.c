/* clock_off.c - loaded before libc by the agent under test: its clock is off by as many seconds as
 * the file that RC_CLOCK_OFF names holds. Only the real clock; what measures time is left alone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>

static long
seconds_off(void)
{
    const char *path = getenv("RC_CLOCK_OFF");
    FILE *file = path ? fopen(path, "re") : NULL;
    char text[32] = "0";

    if (file) {
        (void)!fgets(text, sizeof text, file);
        (void)fclose(file);
    }
    return strtol(text, NULL, 10);
}

int
clock_gettime(clockid_t id, struct timespec *ret)
{
    static int (*real)(clockid_t, struct timespec *);

    if (!real) {
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    }
    int bad = real(id, ret);
    if (!bad && id == CLOCK_REALTIME) {
        ret->tv_sec += seconds_off();
    }
    return bad;
}

time_t
time(time_t *ret)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_REALTIME, &t);
    if (ret) {
        *ret = t.tv_sec;
    }
    return t.tv_sec;
}

int
gettimeofday(struct timeval *restrict ret, void *restrict zone)
{
    struct timespec t;

    (void)zone;
    (void)clock_gettime(CLOCK_REALTIME, &t);
    *ret = (struct timeval){.tv_sec = t.tv_sec, .tv_usec = t.tv_nsec / 1000};
    return 0;
}
