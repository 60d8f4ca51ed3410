//go:build linux

package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	main "dropline/cmd/dropline"
	"dropline/ingest"
)

func TestCheckConnection(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text, allow, server, key string
		kind                     ingest.Kind
	}{
		"good":      {"Server=tcp:sql.example.org,1433;Database=Practice;User Id=r;Password=hunter2;Encrypt=True", "", "sql.example.org:1433", "", 0},
		"allowed":   {"Server=10.1.2.3;Database=Practice;User Id=r;Password=hunter2", "10.1.0.0/16", "10.1.2.3:1433", "", 0},
		"private":   {"Server=10.1.2.3;Database=Practice;User Id=r;Password=hunter2", "10.2.0.0/16", "", "Server", ingest.Denied},
		"metadata":  {"sqlserver://r:hunter2@169.254.169.254?database=x", "10.0.0.0/8", "", "Server", ingest.Denied},
		"localhost": {"Server=localhost;Database=x;User Id=r;Password=hunter2", "", "", "Server", ingest.Denied},
		"encrypt":   {"Server=sql.example.org;Database=x;User Id=r;Password=hunter2;Encrypt=perhaps", "", "", "Encrypt", ingest.Invalid},
		"port":      {"Server=sql.example.org,hunter2;Database=x;User Id=r;Password=hunter2", "", "", "Server", ingest.Invalid},
		"no server": {"Database=x;User Id=r;Password=hunter2", "", "", "Server", ingest.Invalid},
	} {
		server, _, key, err := main.CheckConnection(c.text, c.allow)
		if server != c.server || key != c.key || (err != nil) != (c.server == "") || err != nil && ingest.KindOf(err) != c.kind {
			t.Errorf("%s: server %q, key %q, %v", name, server, key, err)
		}
		if err != nil && strings.Contains(err.Error()+ingest.HintOf(err), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConnectionFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const text = "Server=a;Password=x "
	for name, c := range map[string]struct {
		content, want string
		mode          os.FileMode
		status        int
	}{
		"plain":      {text, text, 0o600, 0},
		"line":       {text + "\n", text, 0o600, 0},
		"windows":    {"\ufeff" + text + "\r\n", text, 0o600, 0},
		"two lines":  {text + "\n\n", text + "\n", 0o600, 0},
		"readable":   {text, text, 0o644, 0},
		"group":      {text, text, 0o640, 0},
		"empty":      {"\n", "", 0o600, 2},
		"UTF-16":     {"\xff\xfeS\x00\xe9\x00=\xd8\x4a\xde\r\x00\n\x00", "Sé🙊", 0o600, 0},
		"odd UTF-16": {"\xff\xfeS\x00e", "", 0o600, 2},
		"half a one": {"\xff\xfeS\x00=\xd8", "", 0o600, 2},
		"NUL":        {"Server=a\x00", "", 0o600, 2},
		"too large":  {strings.Repeat("x", 65<<10), "", 0o600, 1},
		"just right": {strings.Repeat("x", 64<<10), strings.Repeat("x", 64<<10), 0o600, 0},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.content), c.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil { // whatever the umask
			t.Fatal(err)
		}
		got, warned, err := main.ConnectionFile(path, nil)
		if got != c.want || (err != nil) != (c.status != 0) || err != nil && main.ExitStatus(err) != c.status {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		if (warned != "") != (c.mode != 0o600) || strings.Contains(warned, "Password") {
			t.Errorf("%s: warned of %q", name, warned)
		}
		if c.status != 1 && name != "just right" {
			if in, _, err := main.ConnectionFile("-", strings.NewReader(c.content)); in != c.want || (err != nil) != (c.status != 0) {
				t.Errorf("%s: from standard input %q, %v", name, in, err)
			}
		}
	}
	if _, _, err := main.ConnectionFile(dir, nil); err == nil {
		t.Error("a directory was read")
	}
}
