//go:build linux

package main_test

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"syscall"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"dropline/ingest"
	"dropline/internal/devstack/devtest"
	"dropline/internal/tdstest"
)

// readyWithin bounds a server's start on a machine whose cores all run tests.
const readyWithin = 3 * time.Minute

// TestScripts drives the real binary as a user types it. Scripts whose names begin with "server" have a PostgreSQL and an
// S3 bucket of their own; the others have none.
func TestScripts(t *testing.T) {
	t.Parallel()
	binary, err := build()
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range []string{"sftp", "ssh-keygen", "ssh-keyscan", "lftp", "sshpass"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("%s is not installed: run make deps-test", tool)
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	databases := &tdsServers{all: map[string]*tdstest.Server{}}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join("testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("HOME", filepath.Join(env.WorkDir, "home"))
			env.Setenv("XDG_DATA_HOME", filepath.Join(env.WorkDir, "share"))
			env.Setenv("DATA", filepath.Join(env.WorkDir, "share", "dropline"))
			env.Setenv("DROPLINE_SFTP_LISTEN", "127.0.0.1:0")
			env.Setenv("DROPLINE_API_LISTEN", "127.0.0.1:0")
			env.Setenv("LC_ALL", "C.UTF-8")
			env.Setenv("REPO", absolute(t, filepath.Join("..", "..")))
			env.Setenv("TAKEN", taken.Addr().String())
			env.Setenv("TESTDATA", absolute(t, testData()))
			// PostgreSQL, run as another account where this is root, must get to its part of a data directory here.
			for dir := env.WorkDir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
				if err := os.Chmod(dir, 0o755); err != nil {
					return err
				}
			}
			if strings.HasPrefix(filepath.Base(env.WorkDir), "script-server") {
				s3 := devtest.S3(t)
				for name, value := range map[string]string{
					"DROPLINE_DATABASE_URL": devtest.Postgres(t), "DROPLINE_BUCKET": s3.Bucket, "AWS_ENDPOINT_URL": s3.Endpoint,
					"AWS_REGION": s3.Region, "AWS_ACCESS_KEY_ID": s3.AccessKey, "AWS_SECRET_ACCESS_KEY": s3.SecretKey,
				} {
					env.Setenv(name, value)
				}
			}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"tds": databases.tds, "ready": ready, "jsonenv": jsonEnv, "compare-rejects": compareRejects, "same-rejects": sameRejects, "mode": mode, "term": term,
		},
		// [data:NAME] holds where the data outside of the repository is there.
		Condition: func(cond string) (bool, error) {
			name, ok := strings.CutPrefix(cond, "data:")
			if !ok {
				return false, fmt.Errorf("unknown condition %q", cond)
			}
			_, err := os.Stat(filepath.Join(testData(), name))
			if err != nil {
				t.Logf("SKIP: %s is not there: DROPLINE_TESTDATA says where it is", name)
			}
			return err == nil, nil
		},
	})
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// ready waits until the server in the background serves, and tells SFTPHOST and SFTPPORT.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	dir := ts.Getenv("DATA")
	if len(args) > 0 {
		dir = ts.MkAbs(args[0])
	}
	for deadline := time.Now().Add(readyWithin); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		raw, err := os.ReadFile(filepath.Join(dir, "server.json"))
		if err != nil {
			continue
		}
		var at struct {
			PID          int      `json:"pid"`
			SFTP         string   `json:"sftp"`
			Fingerprints []string `json:"fingerprints"`
		}
		ts.Check(json.Unmarshal(raw, &at))
		if host, port, err := net.SplitHostPort(at.SFTP); err == nil { // else it has another role
			ts.Setenv("SFTPHOST", host)
			ts.Setenv("SFTPPORT", port)
			ts.Setenv("FINGERPRINT", at.Fingerprints[0])
		}
		ts.Setenv("SERVERPID", fmt.Sprint(at.PID))
		return
	}
	ts.Fatalf("the server did not become ready")
}

// term asks the server that ready found to end.
func term(ts *testscript.TestScript, neg bool, args []string) {
	var pid int
	_, err := fmt.Sscan(ts.Getenv("SERVERPID"), &pid)
	ts.Check(err)
	ts.Check(syscall.Kill(pid, syscall.SIGTERM))
}

// jsonEnv sets a variable to a value in a JSON file: jsonenv NAME FILE key.0.key
func jsonEnv(ts *testscript.TestScript, neg bool, args []string) {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &v))
	for key := range strings.SplitSeq(args[2], ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[key]
		case []any:
			var i int
			_, err := fmt.Sscan(key, &i)
			ts.Check(err)
			if i >= len(at) {
				ts.Fatalf("%s: no element %d", args[1], i)
			}
			v = at[i]
		default:
			ts.Fatalf("%s: nothing at %s", args[1], args[2])
		}
	}
	if v == nil {
		ts.Fatalf("%s: nothing at %s", args[1], args[2])
	}
	ts.Setenv(args[0], fmt.Sprint(v))
}

// compareRejects makes sure that the rows which sample listed as spoiled are those that were refused, for those reasons.
func compareRejects(ts *testscript.TestScript, neg bool, args []string) {
	read := func(name string) (out []string) {
		r := csv.NewReader(strings.NewReader(ts.ReadFile(name)))
		rows, err := r.ReadAll()
		ts.Check(err)
		column := map[string]int{}
		for i, name := range rows[0] {
			column[name] = i
		}
		for _, row := range rows[1:] {
			out = append(out, strings.Join([]string{
				path.Base(row[column["file"]]), row[column["table"]], row[column["record"]], row[column["line"]], row[column["column"]], row[column["code"]],
			}, " "))
		}
		sort.Strings(out)
		return out
	}
	want, got := read(args[0]), read(args[1])
	if len(want) == 0 {
		ts.Fatalf("%s lists nothing", args[0])
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		ts.Fatalf("refused rows differ (-spoiled +refused):\n%s", diff)
	}
}

// sameRejects makes sure that check and an import refuse the same rows in the same words. Only of a reference to nothing do
// they speak differently, as check does not know what was loaded before; and of the value that a declared check refuses, an
// import knows the staged form.
func sameRejects(ts *testscript.TestScript, neg bool, args []string) {
	type reject struct {
		File, Table, Column, Code, Message, Value string
		Record, Line                              int64
	}
	read := func(name string) (out []reject) {
		var list struct{ Rejects, Items []reject }
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(name)), &list))
		for _, r := range append(list.Rejects, list.Items...) {
			r.File = path.Base(r.File)
			r.Message = strings.ReplaceAll(r.Message, "files/", "/inbox/")
			if r.Code == ingest.CodeMissingRef {
				r.Message = ""
			}
			if strings.Contains(r.Value, ".") {
				r.Value = strings.TrimRight(strings.TrimRight(r.Value, "0"), ".")
			}
			out = append(out, r)
		}
		slices.SortFunc(out, func(a, b reject) int { return cmp.Or(strings.Compare(a.File, b.File), int(a.Line-b.Line)) })
		return out
	}
	checked, refused := read(args[0]), read(args[1])
	if len(checked) == 0 {
		ts.Fatalf("%s refuses nothing", args[0])
	}
	if diff := gocmp.Diff(refused, checked); diff != "" {
		ts.Fatalf("refused rows differ (-import +check):\n%s", diff)
	}
}

// mode makes sure of a file's mode: mode 600 FILE
func mode(ts *testscript.TestScript, neg bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s", args[1], got)
	}
}

// testData is where data outside of the repository is.
func testData() string {
	if root := os.Getenv("DROPLINE_TESTDATA"); root != "" {
		return root
	}
	return filepath.Join("..", "..", "..", "shared", "data")
}
