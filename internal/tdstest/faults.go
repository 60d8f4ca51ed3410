package tdstest

import (
	"fmt"
	"sync"
	"time"
)

// Error is an error as SQL Server reports it.
type Error struct {
	Number       int32
	State, Class uint8
	Message      string
}

// Error gives the message with its number.
func (e *Error) Error() string { return fmt.Sprintf("error %d: %s", e.Number, e.Message) }

// Faults are what goes wrong on purpose. Where a fault names a table ("name" or "schema.name"), it is for rows of that
// table; else for rows of any table but the catalogue's. Rows are counted over all queries of a table since the
// faults were set, and again from 0 each time the fault happens; so a reader that begins anew meets it at the same row.
type Faults struct {
	// RefuseLogin answers every login with this error, e.g. 18456 or 4060.
	RefuseLogin *Error
	// CloseOnConnect closes that many connections as soon as they are made.
	CloseOnConnect int
	// SlowLogin waits that long before it answers a login.
	SlowLogin time.Duration

	// DropAfterRows breaks the connection after that many rows, DropTimes times (0 is once).
	DropAfterRows, DropTimes int
	DropTable                string

	// StallAfterRows stops sending for StallFor after that many rows, StallTimes times (0 is always). An attention ends
	// it unless StallDeaf.
	StallAfterRows, StallTimes int
	StallFor                   time.Duration
	StallTable                 string
	StallDeaf                  bool

	// GarbageAfterRows sends bytes that are no token after that many rows, once, and closes the connection.
	GarbageAfterRows int
	GarbageTable     string

	// ErrorAfterRows sends RowError in the middle of the rows, ErrorTimes times (0 is once). The numbers 1205, 3960 and
	// 3961 end the transaction as well; a Class of 20 and more ends the connection.
	ErrorAfterRows, ErrorTimes int
	ErrorTable                 string
	RowError                   *Error

	// DeclareWrongType makes results declare another type than the catalogue does: "table.column" to a T-SQL type, to
	// which the values are converted. A value that cannot be is error 245 or 8114.
	DeclareWrongType map[string]string
}

// faultState counts towards the faults.
type faultState struct {
	mu     sync.Mutex
	f      Faults
	rows   map[string]int // rows sent, by fault
	times  map[string]int // how often, by fault
	closed int
}

func (s *faultState) set(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.f, s.rows, s.times, s.closed = f, map[string]int{}, map[string]int{}, 0
}

func (s *faultState) refusal() *Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.f.RefuseLogin
}

func (s *faultState) loginDelay() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.f.SlowLogin
}

func (s *faultState) wrongTypes() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.f.DeclareWrongType
}

// closeNow says whether a connection that has just been made is to be closed.
func (s *faultState) closeNow() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed >= s.f.CloseOnConnect {
		return false
	}
	s.closed++
	return true
}

// rowFault is one of the faults that come after rows. Times of 0 is always.
type rowFault struct {
	name  string
	after int
	times int
	table string
}

func (s *faultState) list() []rowFault {
	f := &s.f
	return []rowFault{
		{"stall", f.StallAfterRows, f.StallTimes, f.StallTable},
		{"error", f.ErrorAfterRows, max(1, f.ErrorTimes), f.ErrorTable},
		{"garbage", f.GarbageAfterRows, 1, f.GarbageTable},
		{"drop", f.DropAfterRows, max(1, f.DropTimes), f.DropTable},
	}
}

func (f rowFault) concerns(d *definition) bool {
	if f.after <= 0 {
		return false
	}
	if f.table == "" {
		return !d.catalogue
	}
	return namesTable(f.table, d.schema, d.name)
}

// concerns says whether any fault may come in rows of this table.
func (s *faultState) concerns(d *definition) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.list() {
		if f.concerns(d) {
			return true
		}
	}
	return false
}

// count counts a row that has been sent and says which fault comes now.
func (s *faultState) count(d *definition) (string, Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	due := ""
	for _, f := range s.list() {
		if !f.concerns(d) || f.times > 0 && s.times[f.name] >= f.times {
			continue
		}
		key := f.name + " " + d.schema + "." + d.name
		s.rows[key]++
		if due == "" && s.rows[key] >= f.after {
			due = f.name
			s.rows[key] = 0
			s.times[f.name]++
		}
	}
	return due, s.f
}

// meetFaults is called after each row that was sent.
func (c *session) meetFaults(d *definition) error {
	due, f := c.server.faults.count(d)
	if due == "" {
		return nil
	}
	c.server.event("fault", c.number, due+" in "+d.schema+"."+d.name)
	switch due {
	case "stall":
		if err := c.out.flush(); err != nil {
			return errGone
		}
		return c.wait(f.StallFor, f.StallDeaf)
	case "error":
		if f.RowError == nil {
			return &Error{601, 3, 12, "Could not continue scan with NOLOCK due to data movement."}
		}
		e := *f.RowError
		return &e
	case "garbage":
		c.out.put([]byte{0x42, 0xde, 0xad, 0xbe, 0xef, 0x00, 0x17})
		_ = c.out.end()
		return errGone
	default:
		_ = c.out.flush()
		return errGone
	}
}
