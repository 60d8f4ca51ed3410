package bucket

// PartSize, MaxParts and MaxSize are the growth of parts, for a test over all of them.
var PartSize = partSize

const (
	MaxParts = maxParts
	MaxSize  = maxSize
	MinPart  = minPart
	MaxPart  = maxPart
)
