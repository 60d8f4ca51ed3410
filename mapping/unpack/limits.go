package unpack

import (
	"fmt"
	"sync"

	"dropline/ingest"
)

// Limits of what files may become when they are unpacked.
const (
	// MaxExpansion is how many times as large a packed file may become. Rows compress ten times, those of a file that is made to fill
	// the server thousands of times.
	MaxExpansion = 200
	// FreeExpansion is how many bytes the files of one Budget may become beyond that, taken together.
	FreeExpansion = 256 << 20
	// MaxMembers is how many files an archive may have: as many as may be delivered together.
	MaxMembers = ingest.MaxBatchFiles
	// MaxSpool is the largest file that is put on disk while it is read: a workbook, or an archive that was encrypted.
	MaxSpool = 2 << 30
	// maxWindow bounds the memory with which zstd and xz look back: zstd at its usual levels needs 8 MiB, xz at its strongest 64.
	maxWindow = 64 << 20
	// leastWindow is what xz looks back at least; a file that needs more says so at its beginning.
	leastWindow = 1 << 20
	maxName     = 500 // bytes of a member's path
)

// Budget is what the files of an import may become together beyond MaxExpansion. It is safe for concurrent use.
type Budget struct {
	mu   sync.Mutex
	over map[string]int64
}

// NewBudget returns a Budget of FreeExpansion bytes.
func NewBudget() *Budget { return &Budget{over: map[string]int64{}} }

// take tells whether what is called name may become n bytes larger than it may by itself. What it has become before counts once,
// however often it is read.
func (b *Budget) take(name string, n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over[name] = max(b.over[name], n)
	total := int64(0)
	for _, n := range b.over {
		total += n
	}
	return total <= FreeExpansion
}

func refused(format string, args ...any) *ingest.FileRefusal {
	return &ingest.FileRefusal{Code: ingest.CodeUnreadable, Message: fmt.Sprintf(format, args...)}
}

// tooLarge refuses what becomes larger than its budget allows.
func tooLarge(what string) *ingest.FileRefusal {
	return refused("%s becomes more than %d times as large when it is unpacked: send it unpacked, or in several files", what, MaxExpansion)
}

// damaged refuses what cannot be unpacked.
func damaged(what string, err error) *ingest.FileRefusal {
	return refused("%s is damaged or not whole (%v): send it again", what, err)
}
