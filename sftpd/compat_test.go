package sftpd_test

import (
	"testing"
)

func TestRawMkdirOfWhatIsThereIsNoMatterOfPermission(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	w := r.raw()
	// As asyncssh's makedirs and others do for /inbox/2026/11: each folder in turn, going on after a Failure.
	for _, path := range []string{"/", "", ".", "/inbox", "/inbox/", "/archive", "/reports"} {
		w.send(14, field(path), u32(0))
		w.want(4, "is there already")
	}
	for _, path := range []string{"/inbox/2026", "/inbox/2026/11"} {
		w.send(14, field(path), u32(0))
		w.want(0, "")
	}
	w.send(14, field("/inbox/2026"), u32(0))
	w.want(4, "")
	w.send(14, field("/archive/2026"), u32(0))
	w.want(3, "only what is below /inbox can")
}
