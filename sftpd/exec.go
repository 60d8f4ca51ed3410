package sftpd

import (
	"context"
	"crypto/md5"  //nolint:gosec // what rclone and others compare with; proves transfer, not origin
	"crypto/sha1" //nolint:gosec // as above
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"path"
	"strings"
	"time"

	"dropline/ingest"

	"golang.org/x/crypto/ssh"
)

// Exit statuses, as a shell's.
const (
	exitOK       = 0
	exitFailed   = 1
	exitNotFound = 127
)

// execute runs one of the few commands that clients send beside SFTP, mostly to compare checksums. There is no shell.
func (s *session) execute(channel ssh.Channel, line string) uint32 {
	words, err := splitWords(line)
	if err != nil {
		say(channel.Stderr(), "dropline: %v", err)
		return exitFailed
	}
	if len(words) == 0 {
		return exitOK
	}
	name, args := path.Base(words[0]), words[1:]
	switch name {
	case "md5sum":
		return s.sums(channel, name, md5.New, args)
	case "sha1sum":
		return s.sums(channel, name, sha1.New, args)
	case "sha256sum":
		return s.sums(channel, name, sha256.New, args)
	case "sha512sum":
		return s.sums(channel, name, sha512.New, args)
	case "echo": // by which clients find out what shell this is
		say(channel, "%s", strings.Join(args, " "))
		return exitOK
	case "pwd":
		say(channel, "/")
		return exitOK
	case "scp":
		// In the old protocol a byte 2 begins a message that ends everything; scp prints it.
		say(channel, "\x02dropline: the old scp protocol is not served; use sftp, or scp of OpenSSH 9 or later (scp -s before that)")
		awaitEnd(channel)
		return exitFailed
	}
	say(channel.Stderr(), "dropline: %s: there is no shell here; use sftp", printable(name))
	return exitNotFound
}

// awaitEnd gives the client a moment to take what was said to it and to end by itself: PuTTY's pscp looks at nothing that
// came before an end that it did not expect.
func awaitEnd(channel ssh.Channel) {
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, channel) // ends with the channel at the latest
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(refusalTimeout):
	}
}

func noShell(channel ssh.Channel) uint32 {
	say(channel, "This service takes files by SFTP only; there is no shell.\r")
	return exitFailed
}

// say writes a line to the client, who may be gone, which others find.
func say(to io.Writer, format string, args ...any) { _, _ = fmt.Fprintf(to, format+"\n", args...) }

// sums prints checksums as GNU's commands do; without a name, that of standard input.
func (s *session) sums(channel ssh.Channel, name string, algorithm func() hash.Hash, args []string) uint32 {
	var names []string
	for i, arg := range args {
		if arg == "--" {
			names = append(names, args[i+1:]...)
			break
		}
		switch {
		case arg == "-b", arg == "-t", arg == "--binary", arg == "--text":
		case strings.HasPrefix(arg, "-") && arg != "-":
			say(channel.Stderr(), "%s: option %q is not known here", name, arg)
			return exitFailed
		default:
			names = append(names, arg)
		}
	}
	if len(names) == 0 {
		names = []string{"-"}
	}
	status := uint32(exitOK)
	for _, file := range names {
		sum, err := s.sum(channel, algorithm(), file)
		if err = s.translate(name, file, err); err != nil {
			say(channel.Stderr(), "%s: %s: %v", name, printable(file), err)
			status = exitFailed
			continue
		}
		mark, shown := "", file
		if strings.ContainsRune(file, '\\') {
			mark, shown = `\`, strings.ReplaceAll(file, `\`, `\\`)
		}
		say(channel, "%s%s  %s", mark, hex.EncodeToString(sum), shown)
	}
	return status
}

func (s *session) sum(stdin io.Reader, h hash.Hash, file string) ([]byte, error) {
	const op = "sftpd.Sum"
	if file == "-" {
		_, err := io.Copy(h, stdin)
		return h.Sum(nil), err
	}
	s.busy(1) // from here on nothing comes from the client
	defer s.busy(-1)
	p, err := ingest.CleanPath(file)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, operationTimeout)
	var entry ingest.Entry
	if err = s.checkAccess(ctx); err == nil {
		entry, err = s.ledger.Stat(ctx, s.tenant, p)
	}
	cancel()
	switch {
	case err != nil:
		return nil, err
	case entry.Kind == ingest.EntryDir:
		return nil, ingest.Errorf(ingest.Conflict, op, "it is a folder")
	case entry.SHA256 != [sha256.Size]byte{} && h.Size() == sha256.Size && (entry.Kind == ingest.EntryDrop || entry.Kind == ingest.EntryTemporary):
		return entry.SHA256[:], nil
	}
	body, _, err := s.bucket.Open(s.ctx, entry.Key, 0, entry.Size, "")
	if err != nil {
		return nil, err
	}
	defer body.Close() //nolint:errcheck // all that is wanted of it has been read
	n, err := io.Copy(h, body)
	if err == nil && n != entry.Size {
		err = ingest.E(ingest.Internal, op, io.ErrUnexpectedEOF)
	}
	return h.Sum(nil), err
}
