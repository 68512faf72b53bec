/* slurm_follow.c - reader and writer follow the controllers' addresses.
 *
 * libslurm reads slurm.conf once. A controller that was launched anew has another address,
 * and whoever still asks at the old one waits for ever: so libslurm is begun anew when the
 * SlurmctldHost lines have changed. Other changes, such as a node's address, are no matter
 * of a client. The file is looked at before each request; one stat(2) when it is as it was. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "reconciler/io/slurm/slurm_helper.h"

enum { HOSTS_ROOM = 2048 };

static struct {
    struct timespec conf_time;
    char hosts[HOSTS_ROOM];
} followed;

/* Its SlurmctldHost lines, one after the other; false when the file cannot be read. */
static bool
read_hosts(const char *path, char *hosts, size_t room)
{
    static const char key[] = "SlurmctldHost";
    FILE *file = fopen(path, "re");
    char *line = NULL;
    size_t length = 0, used = 0;

    memset(hosts, 0, room);
    while (file && getline(&line, &length, file) >= 0) {
        const char *text = line + strspn(line, " \t");
        int n = 0;
        if (strncasecmp(text, key, sizeof key - 1) == 0) {
            n = snprintf(hosts + used, room - used, "%s", text);
        }
        used += n > 0 && (size_t)n < room - used ? (size_t)n : 0;
    }
    free(line);
    if (file) {
        (void)fclose(file);
    }
    return file != NULL;
}

static bool
has_new_time(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0 || (st.st_mtim.tv_sec == followed.conf_time.tv_sec &&
                                 st.st_mtim.tv_nsec == followed.conf_time.tv_nsec)) {
        return false;
    }
    followed.conf_time = st.st_mtim;
    return true;
}

void
rc_slurm_follow_begin(const char *conf)
{
    (void)has_new_time(conf);
    (void)read_hosts(conf, followed.hosts, sizeof followed.hosts);
    slurm_init(conf);
}

void
rc_slurm_follow(void *arg)
{
    const struct slurm_helper *h = arg;
    char hosts[HOSTS_ROOM];

    if (!has_new_time(h->conf) || !read_hosts(h->conf, hosts, sizeof hosts) || !*hosts ||
        strcmp(hosts, followed.hosts) == 0) {
        return;
    }
    memcpy(followed.hosts, hosts, sizeof hosts);
    (void)fprintf(stderr, "%s: SlurmctldHost has changed: read anew\n", h->conf);
    slurm_fini();
    slurm_init(h->conf);
}
