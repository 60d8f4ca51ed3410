package bucket

const (
	minPart  = 5 << 20        // S3's least size of a part that is not the last
	maxPart  = 5 << 30        // S3's greatest, of an uploaded part as of a copied one
	maxParts = 10_000         // S3's greatest number of parts
	maxSize  = int64(5) << 40 // S3's greatest object: 5 TiB

	firstPartSize = 8 << 20
)

// growth is how the parts of an object grow: the first so many have the first size, and so on. 8 MiB is enough to hide a
// request's latency, and 10,000 of those are 78 GiB only; so parts grow in few steps, late, as an upload holds one or
// two of them in memory: to 7.8 GiB 8 MiB, 23 GiB 16 MiB, 70 GiB 32 MiB, 164 GiB 64 MiB, 351 GiB 128 MiB, 726 GiB
// 256 MiB, 5 TiB 2.25 GiB. The default limit of a file, 500 GiB, is thus reached with parts of 256 MiB.
var growth = [...]struct {
	parts int32
	size  int64
}{
	{1000, firstPartSize},
	{1000, 16 << 20},
	{1500, 32 << 20},
	{1500, 64 << 20},
	{1500, 128 << 20},
	{1500, 256 << 20},
	{2000, 2304 << 20},
}

// partSize is the size of the given part, which are numbered from 1; fixed, unless 0, is that of all of them. It is 0 for
// a part that an object cannot have.
func partSize(number int32, fixed int64) int64 {
	if number < 1 || number > maxParts {
		return 0
	}
	if fixed > 0 {
		return fixed
	}
	for _, step := range growth {
		if number <= step.parts {
			return step.size
		}
		number -= step.parts
	}
	return 0
}
