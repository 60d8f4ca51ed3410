package tdstest

import (
	"fmt"
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
