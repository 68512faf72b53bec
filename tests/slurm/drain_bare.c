/* drain_bare.c - drains a node without a reason, which scontrol refuses to do: what a
 * slurmctld shows that died between our drain and its reason. drain_bare NODE */
#include <stdio.h>
#include <unistd.h>

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>

int
main(int argc, char **argv)
{
    update_node_msg_t msg;

    if (argc != 2) {
        (void)fputs("usage: drain_bare NODE\n", stderr);
        return 2;
    }
    slurm_init(NULL);
    slurm_init_update_node_msg(&msg);
    msg.node_names = argv[1];
    msg.node_state = NODE_STATE_DRAIN;
    if (slurm_update_node(&msg) != SLURM_SUCCESS) {
        slurm_perror(argv[1]);
        return 1;
    }
    _exit(0); /* libslurm frees nothing at the end, which a leak check would hold against us */
}
