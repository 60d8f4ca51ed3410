package sample

// dice is a stream of pseudo-random numbers that costs nothing to set up (splitmix64), so that each row can have its own.
type dice uint64

// roll returns the dice of one row.
func (p *plan) roll(t table, i int64) dice {
	d := dice(p.seed*0x9e3779b97f4a7c15 ^ uint64(t+1)*0xbf58476d1ce4e5b9 ^ uint64(i)*0x94d049bb133111eb)
	d.next()
	return d
}

func (d *dice) next() uint64 {
	*d += 0x9e3779b97f4a7c15
	z := uint64(*d)
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below returns a number from 0 to n-1. n fits in 32 bits or the result is slightly uneven, which no one sees.
func (d *dice) below(n int64) int64 {
	if n <= 1 {
		d.next()
		return 0
	}
	return int64(d.next() >> 1 % uint64(n))
}

// between returns a number from low to high.
func (d *dice) between(low, high int64) int64 { return low + d.below(high-low+1) }

// chance is true in so many of a hundred cases.
func (d *dice) chance(percent int64) bool { return d.below(100) < percent }

func (d *dice) one(of []string) string { return of[d.below(int64(len(of)))] }

// shuffle spreads rows over the n rows of another table so that each gets one of every n, in an order that looks
// random, and can be undone: which row is the j-th of parent m?
type shuffle struct{ n, factor, inverse int64 }

// shift moves each round's order against the last one's.
const shift = 7

func newShuffle(n int64) shuffle {
	s := shuffle{n: max(n, 1), factor: 1, inverse: 1}
	for _, candidate := range []int64{48271, 16807, 69621, 39373, 7919, 1009, 31, 5, 3} {
		if candidate < s.n && gcd(candidate, s.n) == 1 {
			s.factor = candidate
			s.inverse = inverse(candidate, s.n)
			break
		}
	}
	return s
}

// parent returns the parent of row i, and which of its rows it is, from 0.
func (s shuffle) parent(i int64) (m, j int64) {
	j = i / s.n
	return (s.factor*(i%s.n) + shift*(j%s.n)) % s.n, j
}

// child returns the j-th row of parent m.
func (s shuffle) child(m, j int64) int64 {
	at := (m - shift*(j%s.n)%s.n + s.n) % s.n
	return j*s.n + at*s.inverse%s.n
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// inverse returns x with a·x = 1 modulo n, which share no factor.
func inverse(a, n int64) int64 {
	t, newT, r, newR := int64(0), int64(1), n, a%n
	for newR != 0 {
		q := r / newR
		t, newT = newT, t-q*newT
		r, newR = newR, r-q*newR
	}
	return (t%n + n) % n
}
