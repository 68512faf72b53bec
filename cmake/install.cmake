# install.cmake - where the programs go: two components, one for each package.
include(GNUInstallDirs)
set(RC_UNIT_DIR "/lib/systemd/system" CACHE PATH "folder of systemd's units")

install(TARGETS reconcilerd DESTINATION ${CMAKE_INSTALL_SBINDIR} COMPONENT controller)
install(TARGETS reconcilectl DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT controller)
install(TARGETS rc-slurm-helper rc-registrar rc-controller-helper
        DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/slurm-on-aws COMPONENT controller)
install(FILES ${CMAKE_SOURCE_DIR}/policies/p4d.json ${CMAKE_SOURCE_DIR}/policies/careful.json
              ${CMAKE_SOURCE_DIR}/policies/fast.json ${CMAKE_SOURCE_DIR}/policies/schema.json
        DESTINATION ${CMAKE_INSTALL_DATADIR}/slurm-on-aws/policies COMPONENT controller)
install(FILES ${CMAKE_SOURCE_DIR}/deploy/systemd/reconcilerd.service
              ${CMAKE_SOURCE_DIR}/deploy/systemd/slurm-on-aws-reject@.service
              ${CMAKE_SOURCE_DIR}/deploy/systemd/controller-names.service
              ${CMAKE_SOURCE_DIR}/deploy/systemd/controller-names.timer
        DESTINATION ${RC_UNIT_DIR} COMPONENT controller)
install(FILES ${CMAKE_SOURCE_DIR}/deploy/systemd/50-slurm-on-aws.rules
        DESTINATION ${CMAKE_INSTALL_DATADIR}/polkit-1/rules.d COMPONENT controller)
install(FILES ${CMAKE_SOURCE_DIR}/docs/configuration.md ${CMAKE_SOURCE_DIR}/docs/reconcilerd.json
              ${CMAKE_SOURCE_DIR}/docs/operating.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR}-controller COMPONENT controller)
install(PROGRAMS ${CMAKE_SOURCE_DIR}/deploy/node/controller-names
        DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/slurm-on-aws COMPONENT controller)

install(TARGETS nodewatch DESTINATION ${CMAKE_INSTALL_SBINDIR} COMPONENT node)
install(TARGETS rc-slurm-helper DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/slurm-on-aws
        COMPONENT node)
install(FILES ${CMAKE_SOURCE_DIR}/deploy/systemd/nodewatch.service
              ${CMAKE_SOURCE_DIR}/deploy/systemd/controller-names.service
              ${CMAKE_SOURCE_DIR}/deploy/systemd/controller-names.timer
              ${CMAKE_SOURCE_DIR}/deploy/systemd/slurm-on-aws-imds.service
              ${CMAKE_SOURCE_DIR}/deploy/systemd/slurm-on-aws-scratch.service
        DESTINATION ${RC_UNIT_DIR} COMPONENT node)
install(FILES ${CMAKE_SOURCE_DIR}/docs/operating.md
        DESTINATION ${CMAKE_INSTALL_DOCDIR}-node COMPONENT node)
install(FILES ${CMAKE_SOURCE_DIR}/deploy/node/imds.nft
        DESTINATION ${CMAKE_INSTALL_DATADIR}/slurm-on-aws COMPONENT node)
install(FILES ${CMAKE_SOURCE_DIR}/deploy/systemd/slurmd.service.d/50-slurm-on-aws.conf
        DESTINATION ${RC_UNIT_DIR}/slurmd.service.d COMPONENT node)
install(FILES ${CMAKE_SOURCE_DIR}/deploy/systemd/logrotate.service.d/50-slurm-on-aws.conf
        DESTINATION ${RC_UNIT_DIR}/logrotate.service.d COMPONENT node)
install(PROGRAMS ${CMAKE_SOURCE_DIR}/deploy/node/prolog ${CMAKE_SOURCE_DIR}/deploy/node/epilog
                 ${CMAKE_SOURCE_DIR}/deploy/node/health-check ${CMAKE_SOURCE_DIR}/deploy/node/controller-names
                 ${CMAKE_SOURCE_DIR}/deploy/node/scratch ${CMAKE_SOURCE_DIR}/deploy/node/ssh-needs-job
        DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/slurm-on-aws COMPONENT node)
install(PROGRAMS ${CMAKE_SOURCE_DIR}/reconciler/io/host/as_root.sh RENAME as-root
        DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/slurm-on-aws COMPONENT node)
install(FILES ${CMAKE_SOURCE_DIR}/reconciler/io/host/gate.sh
              ${CMAKE_SOURCE_DIR}/reconciler/io/host/gpu_reset.sh
              ${CMAKE_SOURCE_DIR}/reconciler/io/host/forensics.sh
        DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/slurm-on-aws COMPONENT node)
install(FILES ${CMAKE_SOURCE_DIR}/deploy/node/sudoers RENAME slurm-on-aws-node
        DESTINATION /etc/sudoers.d PERMISSIONS OWNER_READ GROUP_READ COMPONENT node)

# Both: the machine's own updates leave alone what must fit together.
foreach(part controller node)
    install(FILES ${CMAKE_SOURCE_DIR}/deploy/node/apt-updates.conf RENAME 52slurm-on-aws
            DESTINATION /etc/apt/apt.conf.d COMPONENT ${part})
    install(FILES ${CMAKE_SOURCE_DIR}/deploy/node/needrestart.conf RENAME slurm-on-aws.conf
            DESTINATION /etc/needrestart/conf.d COMPONENT ${part})
endforeach()
