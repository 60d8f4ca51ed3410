package sftpd_test

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"dropline/ingest"

	"golang.org/x/crypto/ssh"
)

// run executes a command over SSH as acme.
func (r *rig) run(command, stdin string) (out, errs string, status int) {
	r.t.Helper()
	s, err := r.dial(acme, password).NewSession()
	check(r.t, err)
	defer s.Close()
	var o, e bytes.Buffer
	s.Stdout, s.Stderr, s.Stdin = &o, &e, strings.NewReader(stdin)
	if err := s.Run(command); err != nil {
		exit, ok := errors.AsType[*ssh.ExitError](err)
		if !ok {
			r.t.Fatalf("%s: %v", command, err)
		}
		status = exit.ExitStatus()
	}
	return o.String(), e.String(), status
}

func TestCommands(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	data := sample(100_000)
	r.store(ingest.EntryDrop, "/inbox/my file's.csv", data)
	r.store(ingest.EntryDrop, `/inbox/back\slash.csv`, data)
	r.store(ingest.EntryPartial, "/inbox/partial.csv", data[:10])
	sha, sha0 := fmt.Sprintf("%x", sha256.Sum256(data)), fmt.Sprintf("%x", sha256.Sum256(nil))
	md, md0, s1 := fmt.Sprintf("%x", md5.Sum(data)), fmt.Sprintf("%x", md5.Sum(nil)), fmt.Sprintf("%x", sha1.Sum(data))
	for _, test := range []struct {
		command, stdin, out, errs string
		status                    int
	}{
		{`sha256sum '/inbox/my file'\''s.csv'`, "", sha + "  /inbox/my file's.csv\n", "", 0},
		{`sha256sum my\ file\'s.csv`, "", sha + "  my file's.csv\n", "", 0},
		{`md5sum "/inbox/my file's.csv" -- '/inbox/my file'"'"'s.csv'`, "", md + "  /inbox/my file's.csv\n" + md + "  /inbox/my file's.csv\n", "", 0},
		{`/usr/bin/sha1sum -b inbox/my\ file\'s.csv`, "", s1 + "  inbox/my file's.csv\n", "", 0},
		{`md5sum 'inbox/back\slash.csv'`, "", `\` + md + `  inbox/back\\slash.csv` + "\n", "", 0},
		{"sha256sum /inbox/partial.csv", "", fmt.Sprintf("%x", sha256.Sum256(data[:10])) + "  /inbox/partial.csv\n", "", 0},
		{"md5sum", "", md0 + "  -\n", "", 0}, // how rclone finds out whether there is one
		{"sha256sum -", "", sha0 + "  -\n", "", 0},
		{"md5sum", string(data), md + "  -\n", "", 0},
		{"md5sum none.csv my\\ file\\'s.csv", "", md + "  my file's.csv\n", "md5sum: none.csv: no such file", 1},
		{"md5sum /inbox", "", "", "it is a folder", 1},
		{"md5sum ../../etc/passwd", "", "", "no such file", 1},
		{"md5sum --check x", "", "", "not known", 1},
		{"echo ${ShellId}%ComSpec%", "", "%ComSpec%\n", "", 0},
		{`echo "a  $HOME" 'b $c' d\$`, "", "a   b $c d$\n", "", 0},
		{"pwd", "", "/\n", "", 0},
		{"", "", "", "", 0},
		{"bash -i", "", "", "there is no shell here", 127},
		{"cat /etc/passwd", "", "", "there is no shell here", 127},
		{"md5sum x; id", "", "", "there is no shell here", 1},
		{"echo $(id)", "", "", "there is no shell here", 1},
		{"echo `id`", "", "", "there is no shell here", 1},
		{`echo "unclosed`, "", "", "never closed", 1},
		{"scp -t /inbox", "", "\x02dropline: the old scp protocol", "", 1},
	} {
		out, errs, status := r.run(test.command, test.stdin)
		if test.status == 0 && out != test.out || !strings.HasPrefix(out, test.out) || !strings.Contains(errs, test.errs) || status != test.status {
			t.Errorf("%s: %q, %q, status %d", test.command, out, errs, status)
		}
	}
}

// Were the channel ended at once, PuTTY's pscp would show nothing of why.
func TestOldSCPMayReadWhyItIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s, err := r.dial(acme, password).NewSession()
	check(t, err)
	in, err := s.StdinPipe()
	check(t, err)
	out, err := s.StdoutPipe()
	check(t, err)
	check(t, s.Start("scp -t /inbox"))
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, "\x02dropline: the old scp") {
		t.Fatalf("%q %v", line, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Wait() }()
	select {
	case err := <-ended:
		t.Errorf("the channel ended before the client did: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	check(t, in.Close())
	if exit, ok := errors.AsType[*ssh.ExitError](<-ended); !ok || exit.ExitStatus() != 1 {
		t.Errorf("it ended with %v", exit)
	}
}

func TestNothingButSFTP(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	conn := r.dial(acme, password)
	if _, err := conn.Dial("tcp", "127.0.0.1:1"); err == nil || !strings.Contains(err.Error(), "SFTP only") {
		t.Errorf("forwarding: %v", err)
	}
	if l, err := conn.Listen("tcp", "127.0.0.1:0"); err == nil {
		l.Close()
		t.Error("listening")
	}
	s, err := conn.NewSession()
	check(t, err)
	var out bytes.Buffer
	s.Stdout = &out
	if err := s.RequestPty("xterm", 24, 80, ssh.TerminalModes{}); err == nil {
		t.Error("a terminal")
	}
	if err := s.Setenv("LD_PRELOAD", "x"); err == nil {
		t.Error("a variable")
	}
	if err := s.RequestSubsystem("netconf"); err == nil {
		t.Error("another subsystem")
	}
	s, err = conn.NewSession()
	check(t, err)
	s.Stdout = &out
	check(t, s.Shell())
	if err := s.Wait(); err == nil || !strings.Contains(out.String(), "SFTP only") {
		t.Errorf("a shell: %v %q", err, out.String())
	}
	var sessions []*ssh.Session
	for range 20 {
		if s, err := conn.NewSession(); err == nil {
			sessions = append(sessions, s)
		}
	}
	if len(sessions) > 10 {
		t.Errorf("%d channels", len(sessions))
	}
}
