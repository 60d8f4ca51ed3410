//go:build unix

package seal_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
	"github.com/tink-crypto/tink-go/v2/mac"

	"dropline/ingest"
	"dropline/internal/seal"
)

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// alone makes sure that a key file has left no other file beside it: that would be a copy of the key.
func alone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Errorf("beside the key file there is something: %v", entries)
	}
}

func TestNewKeyFileNeverOverwrites(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	if mode := modeOf(t, path); mode != 0o600 {
		t.Errorf("mode %v", mode)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	again := seal.NewKeyFile(path)
	wantError(t, "again", again, ingest.Conflict)
	if again != nil && !strings.HasSuffix(again.Error(), "link "+path+": file exists") {
		t.Errorf("names another file: %v", again)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed: %v", err)
	}
	alone(t, path)

	dangling := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path+"-elsewhere", dangling); err != nil {
		t.Fatal(err)
	}
	wantError(t, "through a link", seal.NewKeyFile(dangling), ingest.Conflict)
	if _, err := os.Lstat(path + "-elsewhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a link was followed")
	}
	err = seal.NewKeyFile(filepath.Join(t.TempDir(), "none", "secrets.key"))
	wantError(t, "no directory", err, ingest.NotFound)
}

// TestFirstKeyFileWins: of several that make one, one does, and all read the same.
func TestFirstKeyFileWins(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secrets.key")
	var all sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		all.Go(func() { errs[i] = seal.NewKeyFile(path) })
	}
	all.Wait()
	made := 0
	for _, err := range errs {
		if err == nil {
			made++
		} else {
			wantError(t, "second", err, ingest.Conflict)
		}
	}
	if made != 1 {
		t.Errorf("%d have made it", made)
	}
	openFile(t, path)
	alone(t, path)
}

func TestKeyFileOfOthersIsRefused(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	for mode, ok := range map[fs.FileMode]bool{
		0o600: true, 0o400: true, 0o700: true,
		0o640: false, 0o604: false, 0o620: false, 0o602: false, 0o610: false, 0o601: false, 0o644: false, 0o666: false,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := seal.OpenFile(path)
		if ok {
			if err != nil {
				t.Errorf("%v: %v", mode, err)
			}
			continue
		}
		wantError(t, mode.String(), err, ingest.Denied)
		if !strings.Contains(ingest.HintOf(err), "chmod 600 "+path) {
			t.Errorf("%v: no hint: %q", mode, ingest.HintOf(err))
		}
		wantError(t, "rotate "+mode.String(), seal.RotateKeyFile(path), ingest.Denied)
		if modeOf(t, path) != mode {
			t.Errorf("the mode of %v was changed", mode)
		}
	}
}

func TestWhatIsNoKeyFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := seal.OpenFile(pipe) // must not wait for somebody to write
	wantError(t, "pipe", err, ingest.Denied)
	_, err = seal.OpenFile(dir)
	wantError(t, "directory", err, ingest.Denied)
	_, err = seal.OpenFile(filepath.Join(dir, "none"))
	wantError(t, "missing", err, ingest.NotFound)

	wrongKeys, err := keyset.NewHandle(mac.HMACSHA256Tag128KeyTemplate())
	if err != nil {
		t.Fatal(err)
	}
	var macs bytes.Buffer
	if err := insecurecleartextkeyset.Write(wrongKeys, keyset.NewJSONWriter(&macs)); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(newFile(t))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"empty": "", "no JSON": "hunter2hunter2", "other JSON": `{"password": "hunter2hunter2"}`, "list": `["hunter2hunter2"]`,
		"no keys": `{"primaryKeyId": 1, "key": []}`, "cut": string(good[:len(good)/2]), "for signing": macs.String(),
		"too long": string(good) + strings.Repeat(" ", 64<<10), "other primary": strings.Replace(string(good), `"primaryKeyId":`, `"primaryKeyId":1`, 1),
		"disabled": strings.Replace(string(good), "ENABLED", "DISABLED", 1),
	} {
		if text == string(good) {
			t.Fatalf("%s is a good one", name)
		}
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := seal.OpenFile(path)
		wantError(t, name, err, ingest.Invalid)
		wantError(t, "rotate "+name, seal.RotateKeyFile(path), ingest.Invalid)
		if after, err := os.ReadFile(path); err != nil || string(after) != text {
			t.Errorf("%s was changed", name)
		}
	}
}

func TestRotation(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	first := openFile(t, path)
	old := sealed(t, first, secret, whose)
	ids := map[string]bool{first.KeyID(): true}
	for _, mode := range []fs.FileMode{0o600, 0o400} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if err := seal.RotateKeyFile(path); err != nil {
			t.Fatal(err)
		}
		if got := modeOf(t, path); got != mode {
			t.Errorf("mode %v has become %v", mode, got)
		}
		k := openFile(t, path)
		ids[k.KeyID()] = true
		if got, err := k.Open(within(t), old, whose); err != nil || string(got) != secret {
			t.Errorf("what was sealed before does not open: %v", err)
		}
		// The new key is in use: one who still has only the first cannot open what it seals.
		_, err := first.Open(within(t), sealed(t, k, secret, whose), whose)
		wantError(t, "with the old key", err, ingest.Internal)
	}
	if len(ids) != 3 {
		t.Errorf("not three keys: %v", ids)
	}
	alone(t, path)

	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := seal.RotateKeyFile(link); err != nil {
		t.Fatal(err)
	}
	if target, err := os.Readlink(link); err != nil || target != path {
		t.Errorf("the link was replaced: %v", err)
	}
	missing := seal.RotateKeyFile(path + "-none")
	wantError(t, "missing", missing, ingest.NotFound)
	if !strings.Contains(ingest.HintOf(missing), path+"-none") {
		t.Errorf("the hint names no file: %q", ingest.HintOf(missing))
	}
}

// TestRotationsAtATime: none's key is lost to another's.
func TestRotationsAtATime(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	var all sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 8 {
		all.Go(func() {
			for range 5 {
				err := seal.RotateKeyFile(path)
				if err != nil {
					wantError(t, "rotation", err, ingest.Conflict)
					continue
				}
				mu.Lock()
				done++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if keys := strings.Count(string(raw), `"keyId"`); keys != done+1 || done == 0 {
		t.Errorf("%d keys after %d rotations", keys, done)
	}
}

// TestRotationHasAnEnd: a file that could not be read again is not written.
func TestRotationHasAnEnd(t *testing.T) {
	t.Parallel()
	path := newFile(t)
	for range 1000 {
		if err := seal.RotateKeyFile(path); err != nil {
			openFile(t, path)
			alone(t, path)
			if !strings.Contains(err.Error(), "at most 65536 are read") {
				t.Errorf("ended otherwise: %v", err)
			}
			return
		}
	}
	t.Error("a key file grows without end")
}
