package push_test

import (
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dropline/ingest"
	"dropline/internal/push"
)

// TestNames: a file's name tells its relation's again, the inbox takes it, and it counts once it has it.
func TestNames(t *testing.T) {
	t.Parallel()
	names := []string{
		"dbo.Matter", "[my schema].[a table]", "a/b", `a\b`, "100%", "%2F", ".hidden", "..", "line\nbreak", "\x85", "\xff\xfe", "Дело", "dossiers.part",
		"x.1", "~", "a+b c",
	}
	seen := map[string]string{}
	for _, name := range names {
		escaped := push.RelationName(name)
		if back, err := url.PathUnescape(escaped); err != nil || back != name {
			t.Errorf("%q became %q and then %q, %v", name, escaped, back, err)
		}
		file := push.FileName(push.Planned("Matter", name), 1)
		if clean, err := ingest.CleanPath(ingest.Inbox + "/" + file); err != nil || clean != ingest.Inbox+"/"+file || ingest.TemporaryName(clean) {
			t.Errorf("%q: %q, %v", name, clean, err)
		}
		if other, twice := seen[file]; twice {
			t.Errorf("%q and %q have one file", name, other)
		}
		seen[file] = name
		if !push.NameFits(push.Planned("Matter", name)) {
			t.Errorf("%q does not fit", name)
		}
	}
	for n, fits := range map[int]bool{100: true, 300: false} {
		if push.NameFits(push.Planned("Matter", strings.Repeat("x", n))) != fits {
			t.Errorf("a name of %d bytes", n)
		}
	}
}

// TestState: two runs at once are kept from each other, and what is no state is not taken for one.
func TestState(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "below", "state.json")
	unlock, err := push.LockState(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := push.LockState(path); ingest.KindOf(err) != ingest.Conflict {
		t.Errorf("a second run: %v", err)
	}
	unlock()
	if err := os.WriteFile(path, []byte("{torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := push.LockState(path); ingest.KindOf(err) != ingest.Invalid || !strings.Contains(ingest.HintOf(err), "--restart") {
		t.Errorf("a damaged state: %v", err)
	}
	if err := os.WriteFile(path, []byte(`{"version":1,"run":{"batch":"../x"}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	unlock, err = push.LockState(path)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
	name := push.StateName("tcp:a/b\\c,1433", "../../etc", "sftp://x")
	if name != filepath.Base(name) || strings.HasPrefix(name, ".") || name == push.StateName("tcp:a/b\\c,1433", "../../etc", "sftp://y") {
		t.Errorf("a state is called %q", name)
	}
}
