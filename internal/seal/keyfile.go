//go:build unix

package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"golang.org/x/sys/unix"

	"dropline/ingest"
)

// NewKeyFile makes a key file with one new AES-256-GCM key, mode 0600. It is there whole or not at all, and on disk when
// NewKeyFile returns. A file that is there already is left alone and the error is a Conflict.
func NewKeyFile(path string) error {
	const op = "seal.NewKeyFile"
	handle, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return ingest.E(ingest.Internal, op, err)
	}
	temporary, err := writeKeys(path, handle, nil)
	if errors.Is(err, fs.ErrNotExist) { // not the file, which is to be made
		err = &fs.PathError{Op: "open", Path: filepath.Dir(path), Err: fs.ErrNotExist}
		return ingest.WithHint(ingest.Errorf(ingest.NotFound, op, "the key file cannot be made: %w", err), "make the directory first")
	}
	if err != nil {
		return unreadable(op, path, err)
	}
	// A link, other than a rename, never replaces.
	err = os.Link(temporary, path)
	if err = errors.Join(err, os.Remove(temporary)); err != nil {
		return unreadable(op, path, err)
	}
	return onDisk(op, path)
}

// RotateKeyFile adds a new key to a key file. What is sealed from the next OpenFile on is sealed with it; the older keys stay,
// so that what they sealed still opens. The file is replaced at once and keeps its mode and owner. One that others than its
// owner can read is refused as Denied, one that is being rotated elsewhere is a Conflict.
func RotateKeyFile(path string) error {
	const op = "seal.RotateKeyFile"
	target, err := filepath.EvalSymlinks(path) // what a link points to is replaced, not the link
	if err != nil {
		return unreadable(op, path, err)
	}
	path = target
	f, handle, err := openKeys(op, path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read; ends the lock
	if err := alone(f, path); err != nil {
		return &ingest.Error{Kind: ingest.Conflict, Op: op, Err: err, Hint: "try again when the other has ended"}
	}
	if _, err := newFileKey(handle); err != nil {
		return noKeyset(op, path)
	}
	manager := keyset.NewManagerFromHandle(handle)
	id, err := manager.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return ingest.E(ingest.Internal, op, err)
	}
	if err := manager.SetPrimary(id); err != nil {
		return ingest.E(ingest.Internal, op, err)
	}
	if handle, err = manager.Handle(); err != nil {
		return ingest.E(ingest.Internal, op, err)
	}
	temporary, err := writeKeys(path, handle, f)
	if err != nil {
		return unreadable(op, path, err)
	}
	if err := os.Rename(temporary, path); err != nil {
		return unreadable(op, path, errors.Join(err, os.Remove(temporary)))
	}
	return onDisk(op, path)
}

// alone makes sure that nobody else rotates the file: of two at a time, one's new key would be lost, and with it what was
// sealed in between.
func alone(f *os.File, path string) error {
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return fmt.Errorf("the key file %s is being rotated: %w", path, err)
	}
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !os.SameFile(mine, there) {
		return fmt.Errorf("the key file %s has just been replaced", path)
	}
	return nil
}

// writeKeys writes a keyset to a new file beside path, readable by its owner only, with the mode and owner of like if that is
// not nil. It returns the file's path.
func writeKeys(path string, handle *keyset.Handle, like *os.File) (string, error) {
	var b bytes.Buffer
	if err := insecurecleartextkeyset.Write(handle, keyset.NewJSONWriter(&b)); err != nil {
		return "", err
	}
	b.WriteByte('\n')
	if b.Len() > maxKeyFile {
		return "", fmt.Errorf("%s would have %d bytes, and at most %d are read", path, b.Len(), maxKeyFile)
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // with O_EXCL, mode 0600
	if err != nil {
		return "", err
	}
	if like != nil {
		err = takeAfter(f, like)
	}
	if err == nil {
		_, err = f.Write(b.Bytes())
	}
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return "", errors.Join(err, os.Remove(f.Name()))
	}
	return f.Name(), nil
}

// takeAfter gives a file the mode and owner of another, whose mode has been looked at: root may rotate a service's key, which
// the service must still be able to read.
func takeAfter(f, like *os.File) error {
	info, err := like.Stat()
	if err != nil {
		return err
	}
	var own, other unix.Stat_t
	if err := errors.Join(unix.Fstat(int(f.Fd()), &own), unix.Fstat(int(like.Fd()), &other)); err != nil {
		return err
	}
	if own.Uid != other.Uid || own.Gid != other.Gid {
		if err := f.Chown(int(other.Uid), int(other.Gid)); err != nil {
			return err
		}
	}
	return f.Chmod(info.Mode().Perm() & 0o700)
}

// onDisk makes a new name last: a key that is gone after a power cut takes with it what it sealed.
func onDisk(op, path string) error {
	d, err := os.Open(filepath.Dir(path))
	if err != nil {
		return unreadable(op, path, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return unreadable(op, path, err)
	}
	return nil
}
