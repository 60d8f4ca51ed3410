package bucket

import "time"

// PartSize, MaxParts and MaxSize are the growth of parts, for a test over all of them.
var PartSize = partSize

const (
	MaxParts = maxParts
	MaxSize  = maxSize
	MinPart  = minPart
	MaxPart  = maxPart
)

// SetSlowAfter shortens how long a part of the first size may take to fill.
func (b *Bucket) SetSlowAfter(d time.Duration) { b.memory.slow = d }
