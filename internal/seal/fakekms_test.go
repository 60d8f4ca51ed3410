package seal_test

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

const (
	testKey  = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	otherKey = "arn:aws:kms:eu-west-1:111122223333:key/ffffffff-12ab-34cd-56ef-1234567890ab"
)

// fakeKMS answers Encrypt and Decrypt as AWS KMS does over its JSON protocol.
type fakeKMS struct {
	*httptest.Server
	keys  map[string]cipher.AEAD
	calls atomic.Int64
	mu    sync.Mutex
	trail []map[string]string // the encryption context of each use
	// refuse, if not nil, answers in place of KMS.
	refuse func(w http.ResponseWriter)
}

// kmsBody is a question or an answer of either operation.
type kmsBody struct {
	KeyID             string            `json:"KeyId"`
	Plaintext         []byte            `json:",omitempty"`
	CiphertextBlob    []byte            `json:",omitempty"`
	EncryptionContext map[string]string `json:",omitempty"`
}

func newFakeKMS(t *testing.T, refuse func(http.ResponseWriter)) *fakeKMS {
	t.Helper()
	f := &fakeKMS{keys: map[string]cipher.AEAD{}, refuse: refuse}
	for _, arn := range []string{testKey, otherKey} {
		raw := make([]byte, 32)
		_, _ = rand.Read(raw) // never fails
		block, err := aes.NewCipher(raw)
		if err != nil {
			t.Fatal(err)
		}
		if f.keys[arn], err = cipher.NewGCM(block); err != nil {
			t.Fatal(err)
		}
	}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

// config is what the SDK would have found, with one try per question so that tests of refusals do not wait.
func (f *fakeKMS) config() aws.Config {
	return aws.Config{
		Region: "ap-southeast-2", BaseEndpoint: &f.URL, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "secret", ""),
	}
}

func answerError(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"__type": %q, "message": "a message of KMS"}`, code)
}

func (f *fakeKMS) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.calls.Add(1)
	if f.refuse != nil {
		f.refuse(w)
		return
	}
	// The signature says for which region and service it was made.
	if !strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/kms/aws4_request") {
		answerError(w, http.StatusBadRequest, "InvalidSignatureException")
		return
	}
	var in kmsBody
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		answerError(w, http.StatusBadRequest, "SerializationException")
		return
	}
	key, ok := f.keys[in.KeyID]
	if !ok {
		answerError(w, http.StatusBadRequest, "NotFoundException")
		return
	}
	// As KMS does, every use is written down: who may see it must find no secret there.
	f.mu.Lock()
	f.trail = append(f.trail, in.EncryptionContext)
	f.mu.Unlock()
	bound, _ := json.Marshal(in.EncryptionContext) // sorted by name
	out := kmsBody{KeyID: in.KeyID}
	switch r.Header.Get("X-Amz-Target") {
	case "TrentService.Encrypt":
		nonce := make([]byte, key.NonceSize())
		_, _ = rand.Read(nonce)
		out.CiphertextBlob = key.Seal(nonce, nonce, in.Plaintext, bound)
	case "TrentService.Decrypt":
		var err error
		if n := key.NonceSize(); len(in.CiphertextBlob) < n {
			err = io.ErrUnexpectedEOF
		} else {
			out.Plaintext, err = key.Open(nil, in.CiphertextBlob[:n], in.CiphertextBlob[n:], bound)
		}
		if err != nil {
			answerError(w, http.StatusBadRequest, "InvalidCiphertextException")
			return
		}
	default:
		answerError(w, http.StatusBadRequest, "UnknownOperationException")
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out)
}
