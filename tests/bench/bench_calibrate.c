/* bench_calibrate.c - how fast is this machine just now?
 *
 * Prints one JSON object: ns of one turn of a loop of dependent multiplications
 * (processor), of one dependent read in 64 MiB (memory), and of one pipe round
 * trip to itself (system calls). Absolute limits are read beside these. */
#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static double
now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static volatile uint64_t sink;

static double
multiply_ns(void)
{
    enum { TURNS = 50 * 1000 * 1000 };
    double begin = now_ns();
    uint64_t x = 88172645463325252U;

    for (int i = 0; i < TURNS; i++) {
        x = x * 6364136223846793005U + 1442695040888963407U;
    }
    sink = x;
    return (now_ns() - begin) / TURNS;
}

static double
read_ns(void)
{
    enum { LINES = 1 << 20, LINE = 64 / sizeof(uint32_t), READS = 5 * 1000 * 1000 };
    uint32_t *lines = calloc(LINES, 64);
    uint64_t x = 1;

    if (!lines) {
        return 0;
    }
    for (uint32_t i = 0; i < LINES; i++) {
        lines[(size_t)i * LINE] = i;
    }
    for (uint32_t i = LINES - 1; i > 0; i--) { /* one cycle through all (Sattolo) */
        x = x * 6364136223846793005U + 1442695040888963407U;
        uint32_t j = (uint32_t)((x >> 33) % i);
        uint32_t t = lines[(size_t)i * LINE];
        lines[(size_t)i * LINE] = lines[(size_t)j * LINE];
        lines[(size_t)j * LINE] = t;
    }
    double begin = now_ns();
    uint32_t at = 0;
    for (int i = 0; i < READS; i++) {
        at = lines[(size_t)at * LINE];
    }
    sink = at;
    double ns = (now_ns() - begin) / READS;
    free(lines);
    return ns;
}

static double
pipe_ns(void)
{
    enum { TURNS = 200 * 1000 };
    int fds[2];
    char byte = 'x';

    if (pipe(fds)) {
        return 0;
    }
    double begin = now_ns();
    for (int i = 0; i < TURNS; i++) {
        if (write(fds[1], &byte, 1) != 1 || read(fds[0], &byte, 1) != 1) {
            return 0;
        }
    }
    double ns = (now_ns() - begin) / TURNS;
    close(fds[0]);
    close(fds[1]);
    return ns;
}

int
main(void)
{
    printf("{\"multiply_ns\":%.3f,\"read_ns\":%.2f,\"pipe_ns\":%.0f}\n", multiply_ns(), read_ns(),
           pipe_ns());
    return 0;
}
