//go:build unix

package seal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/tink"
	"golang.org/x/sys/unix"

	"dropline/ingest"
)

// maxKeyFile bounds a key file, in bytes: room for some three hundred rotations.
const maxKeyFile = 64 << 10

// fileKey wraps data keys with the keys of a file.
type fileKey struct {
	keys    tink.AEAD
	primary uint32
}

// OpenFile reads a key file: a tink keyset of AEAD keys, in cleartext JSON, as NewKeyFile writes it. It must be a regular file
// that only its owner can read, else the error is Denied. A missing file is NotFound, one that is no keyset Invalid.
func OpenFile(path string) (*Keyring, error) {
	const op = "seal.OpenFile"
	f, handle, err := openKeys(op, path)
	if err != nil {
		return nil, err
	}
	_ = f.Close() // it has been read
	key, err := newFileKey(handle)
	if err != nil {
		return nil, noKeyset(op, path)
	}
	return &Keyring{key: key}, nil
}

func newFileKey(handle *keyset.Handle) (*fileKey, error) {
	primary, err := handle.Primary()
	if err != nil {
		return nil, err
	}
	keys, err := aead.New(handle)
	if err != nil {
		return nil, err
	}
	return &fileKey{keys: keys, primary: primary.KeyID()}, nil
}

// openKeys opens and reads a key file. What it returns an open file for, the caller closes.
func openKeys(op, path string) (*os.File, *keyset.Handle, error) {
	// Not blocking: a pipe in the file's place must not hold up a start for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, unreadable(op, path, err)
	}
	handle, err := readKeys(op, path, f)
	if err != nil {
		_ = f.Close() // the first error says what is wrong
		return nil, nil, err
	}
	return f, handle, nil
}

func readKeys(op, path string, f *os.File) (*keyset.Handle, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, unreadable(op, path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, &ingest.Error{
			Kind: ingest.Denied, Op: op, Err: fmt.Errorf("the key file %s is no regular file", path),
			Hint: "name a file that `dropline config new-key` wrote",
		}
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, &ingest.Error{
			Kind: ingest.Denied, Op: op, Err: fmt.Errorf("the key file %s has mode %04o: others than its owner may use it", path, mode),
			Hint: "chmod 600 " + path + "; if others may have read it, make a new key and store what it sealed again",
		}
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, unreadable(op, path, err)
	}
	if len(raw) > maxKeyFile {
		return nil, noKeyset(op, path)
	}
	// A parser's error would quote the file, which is the key.
	handle, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, noKeyset(op, path)
	}
	return handle, nil
}

func noKeyset(op, path string) error {
	return &ingest.Error{
		Kind: ingest.Invalid, Op: op, Err: fmt.Errorf("the key file %s holds no keyset of tink with AEAD keys, in cleartext JSON", path),
		Hint: "put back the file that was in use; `dropline config new-key` makes one, which opens nothing that was sealed before",
	}
}

// unreadable tells of a file that the system does not let us have; such errors name the path and hold nothing of it.
func unreadable(op, path string, err error) error {
	var linking *os.LinkError
	if errors.As(err, &linking) { // it names the temporary file, which nobody knows
		err = &fs.PathError{Op: linking.Op, Path: path, Err: linking.Err}
	}
	e := &ingest.Error{Kind: ingest.Internal, Op: op, Err: fmt.Errorf("the key file cannot be used: %w", err), Hint: "check the path, the disk and who owns the file"}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Kind, e.Hint = ingest.NotFound, "put back the file that was in use, or make one: dropline config new-key "+path
	case errors.Is(err, fs.ErrExist):
		e.Kind, e.Hint = ingest.Conflict, "a key file is never overwritten; name another, or add a key to it with `dropline config rotate-key`"
	case errors.Is(err, fs.ErrPermission):
		e.Kind = ingest.Denied
	}
	return e
}

func (k *fileKey) wrap(_ context.Context, dataKey, associated []byte) ([]byte, error) {
	return k.keys.Encrypt(dataKey, associated)
}

func (k *fileKey) unwrap(ctx context.Context, wrapped, associated []byte) ([]byte, error) {
	return k.keys.Decrypt(wrapped, associated)
}

func (*fileKey) sort() byte { return sortFile }

func (k *fileKey) id() string { return fmt.Sprintf("key %d of a key file", k.primary) }
