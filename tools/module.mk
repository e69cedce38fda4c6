EXTRA_DIST += tools/check tools/packages .ci/run
