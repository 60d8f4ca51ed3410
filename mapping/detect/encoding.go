package detect

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Encoding is how a file's bytes are text.
type Encoding struct {
	Name  string // as package mapping names it
	Mark  int    // bytes of the byte order mark
	ASCII bool   // so far all is ASCII, which says nothing about what follows
	Notes []string
}

// LookEncoding tells a file's encoding: by its byte order mark, then by being valid UTF-8, then as it is set, else windows-1252. What
// the text looks like is a hint for people, never a decision: detectors name the wrong one too often.
func LookEncoding(head []byte, whole bool, set string) Encoding {
	has := func(mark string) bool { return bytes.HasPrefix(head, []byte(mark)) }
	switch {
	case has("\xef\xbb\xbf"):
		return Encoding{Name: "utf-8", Mark: 3}
	case has("\xff\xfe"):
		return Encoding{Name: "utf-16le", Mark: 2, Notes: []string{"the file is in UTF-16"}}
	case has("\xfe\xff"):
		return Encoding{Name: "utf-16be", Mark: 2, Notes: []string{"the file is in UTF-16"}}
	case strings.HasPrefix(set, "utf-16"):
		return Encoding{Name: set}
	}
	if wide := wideName(head); wide != "" {
		return Encoding{Name: wide, Notes: []string{"the file looks like UTF-16 without a byte order mark and is read so"}}
	}
	ascii, valid := utf8Of(head, whole)
	switch {
	case ascii && set != "":
		return Encoding{Name: set, ASCII: true}
	case valid:
		e := Encoding{Name: "utf-8", ASCII: ascii}
		if set != "" && set != "utf-8" {
			e.Notes = []string{fmt.Sprintf("the mapping says that the file is in %s; it is in UTF-8 and read so", set)}
		}
		return e
	case set != "" && set != "utf-8":
		return Encoding{Name: set}
	case set == "utf-8":
		return Encoding{Name: set, Notes: []string{"the mapping says that the file is in UTF-8, but it is not: set its encoding in the mapping"}}
	}
	e := Encoding{Name: "windows-1252", Notes: []string{"the file is not in UTF-8 and is read as windows-1252"}}
	if hint := looksLike(head); hint != "" {
		e.Notes[0] += fmt.Sprintf(", but looks like %s: if its letters are wrong, set encoding in the mapping", hint)
	} else {
		e.Notes[0] += ": if its letters are wrong, set encoding in the mapping"
	}
	return e
}

// utf8Of reports whether the text is ASCII, and whether it is UTF-8; one that is not whole may end within a character.
func utf8Of(head []byte, whole bool) (ascii, valid bool) {
	ascii = true
	for _, b := range head {
		if b >= utf8.RuneSelf {
			ascii = false
			break
		}
	}
	if ascii {
		return true, true
	}
	if !whole {
		for i := 1; i < utf8.UTFMax && i < len(head); i++ {
			if c := head[len(head)-i]; utf8.RuneStart(c) {
				if !utf8.FullRune(head[len(head)-i:]) {
					head = head[:len(head)-i]
				}
				break
			}
		}
	}
	// A few bytes that are no UTF-8 in a file full of characters that are: the file is damaged, and not in another encoding.
	bad, good := 0, 0
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		switch {
		case r == utf8.RuneError && n == 1:
			bad++
		case n > 1:
			good++
		}
		head = head[n:]
	}
	return false, bad*20 <= good
}

// wideName names the UTF-16 that the beginning looks like: nearly every other byte is NUL. A few of the bytes between may be NUL too,
// as in half of an emoji.
func wideName(head []byte) string {
	const looked = 4 << 10
	head = head[:min(len(head), looked)]
	if len(head) < 8 {
		return ""
	}
	var nuls [2]int
	for i, b := range head {
		if b == 0 {
			nuls[i%2]++
		}
	}
	half := len(head) / 2
	switch {
	case max(nuls[0], nuls[1]) <= half*3/4 || min(nuls[0], nuls[1]) > half/8:
		return ""
	case nuls[0] > nuls[1]:
		return "utf-16be"
	}
	return "utf-16le"
}

// looksLike names an encoding other than windows-1252 that the bytes above 127 look like. It is right often enough for a hint.
func looksLike(head []byte) string {
	var high, c1, pairs, kana, upper, mac int
	runs, longest, run := 0, 0, 0
	for i, b := range head {
		if b < 0x80 {
			run = 0
			continue
		}
		high++
		if run++; run == 2 {
			runs++
		}
		longest = max(longest, run)
		switch {
		case b == 0x81 || b == 0x8D || b == 0x8F || b == 0x90 || b == 0x9D:
			c1++ // nothing in windows-1252
		case b >= 0xC0:
			upper++
		}
		if b >= 0x82 && b <= 0x83 && i+1 < len(head) && head[i+1] >= 0x40 {
			kana++
		}
		if b >= 0xA1 && i+1 < len(head) && head[i+1] >= 0xA1 {
			pairs++
		}
		if b >= 0x80 && b <= 0x9F && i > 0 && isLetter(head[i-1]) && i+1 < len(head) && isLetter(head[i+1]) {
			mac++
		}
	}
	switch {
	case high == 0:
		return ""
	case kana*4 > high && longest < 200:
		return "Shift-JIS"
	case pairs*2 > high && longest > 3 && high > 20 && upper*10 < high*9:
		return "GB18030, Big5, EUC-JP or EUC-KR"
	case upper*10 > high*8 && runs*3 > high/4 && longest > 3:
		return "windows-1251 (Cyrillic) or a relative of it"
	case mac*2 > high:
		return "macintosh, cp437 or cp850"
	case c1 > 0:
		return "none that has a name here"
	}
	return ""
}

func isLetter(b byte) bool { return b|0x20 >= 'a' && b|0x20 <= 'z' }
