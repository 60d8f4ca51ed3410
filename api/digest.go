package api

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"hash"
	"io"
	"net/http"
	"strings"
)

// expectedDigest is what a client says its body's hash is.
type expectedDigest struct {
	name string
	hash hash.Hash
	want []byte
}

// digestsOf reads Content-Digest and Repr-Digest (RFC 9530): a dictionary such as sha-256=:…:. Algorithms that the server does
// not know are passed over, as the standard says; one that it knows and cannot read is refused.
func digestsOf(h http.Header) ([]expectedDigest, error) {
	var digests []expectedDigest
	for _, header := range []string{"Content-Digest", "Repr-Digest"} {
		for _, line := range h.Values(header) {
			for member := range strings.SplitSeq(line, ",") {
				algorithm, value, _ := strings.Cut(strings.TrimSpace(member), "=")
				d := expectedDigest{name: header}
				switch algorithm {
				case "sha-256":
					d.hash = sha256.New()
				case "sha-512":
					d.hash = sha512.New()
				default:
					continue
				}
				value, _, _ = strings.Cut(value, ";") // parameters mean nothing here
				encoded, ok := strings.CutPrefix(strings.TrimSpace(value), ":")
				encoded, closed := strings.CutSuffix(encoded, ":")
				var err error
				d.want, err = base64.StdEncoding.DecodeString(encoded)
				if !ok || !closed || err != nil || len(d.want) != d.hash.Size() {
					return nil, newProblem(http.StatusBadRequest, "the "+header+" cannot be read", "send it as sha-256=:<base64>:",
						ProblemError{Location: "header." + header, Message: "must be " + algorithm + "=:<base64>:"})
				}
				digests = append(digests, d)
			}
		}
	}
	return digests, nil
}

// verifiedBody passes on a body and fails, in place of its end, where it is not what the digests promise.
type verifiedBody struct {
	body    io.Reader
	digests []expectedDigest
}

// Read passes on the body.
func (v *verifiedBody) Read(p []byte) (int, error) {
	n, err := v.body.Read(p)
	for _, d := range v.digests {
		d.hash.Write(p[:n])
	}
	if !errors.Is(err, io.EOF) {
		return n, err
	}
	for _, d := range v.digests {
		if !bytes.Equal(d.hash.Sum(nil), d.want) {
			return n, newProblem(http.StatusUnprocessableEntity, "the body does not have its "+d.name, "send the file again",
				ProblemError{Location: "header." + d.name, Message: "does not match the body"})
		}
	}
	return n, err
}
