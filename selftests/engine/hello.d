hello.o: hello.c pair.h /work/wt/me/selftests/harness.h end.h \
 /work/wt/me/include/kdtls/engine.h /work/wt/me/include/uapi/linux/dtls.h \
 ../../userspace/engine/state.h ../../userspace/engine/cids.h \
 ../../userspace/engine/wire.h /work/wt/me/kernel/record.h \
 ../../userspace/engine/endpoint.h ../../userspace/engine/collect.h \
 ../../userspace/engine/reassembly.h ../../userspace/engine/messages.h \
 ../../userspace/engine/cookie.h ../../userspace/engine/crypto.h \
 ../../userspace/engine/random.h ../../userspace/engine/session.h \
 ../../userspace/engine/peer.h ../../userspace/engine/suites.h \
 ../../userspace/engine/spent.h ../../userspace/engine/x509.h \
 ../../userspace/engine/flight.h ../../userspace/engine/gate.h \
 ../../userspace/engine/kex.h ../../userspace/engine/keys12.h \
 ../../userspace/engine/keys13.h ../../userspace/engine/records.h \
 /work/wt/me/kernel/replay.h /work/wt/me/kernel/record.h \
 ../../userspace/engine/transcript.h
pair.h:
/work/wt/me/selftests/harness.h:
end.h:
/work/wt/me/include/kdtls/engine.h:
/work/wt/me/include/uapi/linux/dtls.h:
../../userspace/engine/state.h:
../../userspace/engine/cids.h:
../../userspace/engine/wire.h:
/work/wt/me/kernel/record.h:
../../userspace/engine/endpoint.h:
../../userspace/engine/collect.h:
../../userspace/engine/reassembly.h:
../../userspace/engine/messages.h:
../../userspace/engine/cookie.h:
../../userspace/engine/crypto.h:
../../userspace/engine/random.h:
../../userspace/engine/session.h:
../../userspace/engine/peer.h:
../../userspace/engine/suites.h:
../../userspace/engine/spent.h:
../../userspace/engine/x509.h:
../../userspace/engine/flight.h:
../../userspace/engine/gate.h:
../../userspace/engine/kex.h:
../../userspace/engine/keys12.h:
../../userspace/engine/keys13.h:
../../userspace/engine/records.h:
/work/wt/me/kernel/replay.h:
/work/wt/me/kernel/record.h:
../../userspace/engine/transcript.h:
