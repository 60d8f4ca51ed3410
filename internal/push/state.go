package push

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"dropline/ingest"
)

const (
	stateVersion = 1
	maxState     = 64 << 20 // bytes of a state file: ten thousand files and a plan of as many columns are far below
)

// identity is what a state belongs to. There is no secret in it.
type identity struct {
	Server      string `json:"server"`
	Database    string `json:"database"`
	Destination string `json:"destination"`
	Tenant      string `json:"tenant,omitempty"`
	Schema      string `json:"schema"`
	Mapping     string `json:"mapping"` // SHA-256 in hex of those here and there
}

// state is what a run leaves for the next.
type state struct {
	Version int      `json:"version"`
	Of      identity `json:"of"`
	Run     *running `json:"run,omitempty"` // under way; nil once it is delivered
	// Marks are how far relations are imported, by their names.
	Marks   map[string]mark   `json:"marks,omitempty"`
	Pending *pending          `json:"pending,omitempty"`
	Sent    map[string]string `json:"sent,omitempty"` // what was delivered last: SHA-256 in hex by name
}

// mark is how far a relation is imported, and by which imports since it was last read whole: the mark is good while all live.
type mark struct {
	ingest.SourceMark
	Imports []string `json:"imports,omitempty"`
}

// pending is what was delivered last, and of which it is not known yet what became of it.
type pending struct {
	Import  string              `json:"import,omitempty"` // empty over SFTP
	After   string              `json:"after,omitempty"`  // over SFTP: the newest receipt there was before
	Files   map[string][]string `json:"files"`            // names by relation
	Marks   map[string]mark     `json:"marks"`            // that are good if it is staged
	Whole   []string            `json:"whole,omitempty"`  // relations that were read whole
	Sums    map[string]string   `json:"sums"`             // SHA-256 in hex by name
	Through time.Time           `json:"through"`
}

// running is a run: what it reads, and what of it is at the server.
type running struct {
	Batch     ingest.BatchID       `json:"batch"`
	Started   time.Time            `json:"started"`
	Changes   bool                 `json:"changes,omitempty"` // reads only what has changed, where it can
	Plan      *ingest.DatabasePlan `json:"plan"`
	Snapshots int                  `json:"snapshots"`
	Files     []File               `json:"files"`
	Ending    map[string]ended     `json:"ending,omitempty"` // read whole, and perhaps sent whole, by name
	Key       string               `json:"key,omitempty"`    // of the request that delivers, once everything is there
	After     string               `json:"after,omitempty"`  // as pending has it
}

// File is a part of a relation that is at the server.
type File struct {
	Name     string `json:"name"` // path below the inbox
	Relation string `json:"relation"`
	Size     int64  `json:"size"`   // bytes, as sent
	SHA256   string `json:"sha256"` // lower-case hex
	Rows     int64  `json:"rows"`
}

// ended is a part that has been read, with how far its relation is then.
type ended struct {
	File
	After string   `json:"after,omitempty"`
	Mark  string   `json:"mark,omitempty"`
	More  bool     `json:"more,omitempty"`
	Notes []string `json:"notes,omitempty"`
}

func newBatch() ingest.BatchID { return ingest.BatchID(rand.Text()) }

// relation returns the plan's relation of that name, or nil.
func (r *running) relation(name string) *ingest.PlannedRelation {
	for i := range r.Plan.Relations {
		if r.Plan.Relations[i].Name == name {
			return &r.Plan.Relations[i]
		}
	}
	return nil
}

// take counts a part as delivered.
func (r *running) take(e *ended) {
	rel := r.relation(e.Relation)
	if rel == nil {
		return
	}
	rel.Parts++
	rel.After, rel.Mark, rel.Done = e.After, e.Mark, !e.More
	if e.Name != "" {
		r.Files = append(r.Files, e.File)
	}
	for _, note := range e.Notes {
		if !slices.Contains(r.Plan.Notes, note) {
			r.Plan.Notes = append(r.Plan.Notes, note)
		}
	}
	delete(r.Ending, e.Name)
}

// StateName is the name of the state file of a database and a destination, where none is named.
func StateName(server, database, destination string) string {
	sum := sha256.Sum256([]byte(server + "\x00" + database + "\x00" + destination))
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' {
			return r
		}
		return '_'
	}, ingest.CutText(server, 60)+"_"+ingest.CutText(database, 60))
	return plain + "_" + hex.EncodeToString(sum[:6]) + ".json"
}

// store is the file of a state, locked against a second run.
type store struct {
	path string
	lock *os.File
}

// openStore locks the state at path.
func openStore(path string) (*store, error) {
	const op = "push.openStore"
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, ingest.WithHint(ingest.E(ingest.Invalid, op, err), "name a file that can be written: --state FILE")
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, ingest.WithHint(ingest.E(ingest.Invalid, op, err), "name a file that can be written: --state FILE")
	}
	if err := take(lock); err != nil {
		_ = lock.Close()
		if errors.Is(err, errTaken) {
			return nil, ingest.WithHint(ingest.Errorf(ingest.Conflict, op, "another run is at work with the state %s", path),
				"wait until it has ended")
		}
		return nil, ingest.E(ingest.Internal, op, err)
	}
	return &store{path: path, lock: lock}, nil
}

// close lets go of the state.
func (s *store) close() {
	release(s.lock)
	_ = s.lock.Close()
}

// read returns the state, an empty one if there is no file.
func (s *store) read() (*state, error) {
	const op = "push.read"
	f, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return &state{Version: stateVersion}, nil
	}
	if err != nil {
		return nil, ingest.E(ingest.Invalid, op, err)
	}
	defer f.Close() //nolint:errcheck // only read
	raw, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil {
		return nil, ingest.E(ingest.Invalid, op, err)
	}
	var st state
	if err := json.Unmarshal(raw, &st); err != nil || len(raw) > maxState {
		return nil, ingest.WithHint(ingest.Errorf(ingest.Invalid, op, "the state %s cannot be read", s.path),
			"begin anew with --restart, or name another file with --state")
	}
	if st.Run != nil && (st.Run.Plan == nil || !st.Run.Batch.Valid()) {
		st.Run = nil
	}
	return &st, nil
}

// save replaces the file in one step, so that a crash leaves the old state or the new.
func (s *store) save(st *state) error {
	const op = "push.save"
	raw, err := json.MarshalIndent(st, "", " ")
	if err != nil {
		return ingest.E(ingest.Internal, op, err)
	}
	if err := replace(s.path, append(raw, '\n')); err != nil {
		return ingest.WithHint(ingest.E(ingest.Exhausted, op, fmt.Errorf("the state cannot be written: %w", err)),
			"see to the disk and the rights of its folder, then run it again")
	}
	return nil
}

func replace(path string, raw []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".state-*") // its mode is 0600; on Windows it has the folder's rights
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
