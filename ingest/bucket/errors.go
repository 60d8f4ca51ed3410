package bucket

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"dropline/ingest"
)

// translate gives err, which the SDK returned, its kind. An error that has one keeps it; nil stays nil.
func translate(op, key string, err error) error {
	if err == nil {
		return nil
	}
	var known *ingest.Error
	if errors.As(err, &known) {
		return ingest.E(ingest.KindOf(err), op, err)
	}
	kind, what, hint := classify(err)
	if key != "" {
		what = key + ": " + what
	}
	return &ingest.Error{Kind: kind, Op: op, Err: fmt.Errorf("%s: %w", what, err), Hint: hint}
}

// classify tells an error's kind, what to call it, and what to do about it. Servers agree on few codes and on most
// statuses, so the code decides first.
func classify(err error) (kind ingest.Kind, what, hint string) {
	var api smithy.APIError
	code := ""
	if errors.As(err, &api) {
		code = api.ErrorCode()
	}
	switch code {
	case "NoSuchBucket":
		return ingest.Internal, "the bucket does not exist", "create the bucket, or name another"
	case "NoSuchUpload":
		return ingest.Unavailable, "the upload was ended by somebody else", "send it again"
	case "AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "RequestTimeTooSkewed":
		return ingest.Internal, "the S3 server refuses our credentials", "check the keys, the bucket's policy and the clock"
	case "EntityTooLarge":
		return ingest.Exhausted, "the object is larger than the S3 server takes", ""
	case "InsufficientStorage", "QuotaExceeded", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "InsufficientCapacity", "StorageFull":
		return ingest.Exhausted, "the object store is full", "make room in the object store, then try again"
	case "PreconditionFailed", "ConditionalRequestConflict":
		return ingest.Conflict, "the object is not the expected one", ""
	case "NoSuchKey", "NotFound":
		return ingest.NotFound, "no such object", ""
	case "SlowDown", "RequestTimeout", "RequestTimeTooShort", "ServiceUnavailable", "InternalError", "Throttling", "ThrottlingException":
		return ingest.Unavailable, "the S3 server cannot serve us now", ""
	}
	if strings.Contains(strings.ToLower(err.Error()), "no space left") {
		return ingest.Exhausted, "the object store is full", "make room in the object store, then try again"
	}
	var answer *awshttp.ResponseError
	if errors.As(err, &answer) && answer.HTTPStatusCode() != 0 {
		return classifyStatus(answer.HTTPStatusCode())
	}
	if errors.Is(err, context.Canceled) {
		return ingest.Unavailable, "interrupted", ""
	}
	return ingest.Unavailable, "the S3 server is out of reach", ""
}

func classifyStatus(status int) (kind ingest.Kind, what, hint string) {
	switch {
	case status == http.StatusNotFound:
		return ingest.NotFound, "no such object", ""
	case status == http.StatusPreconditionFailed:
		return ingest.Conflict, "the object is not the expected one", ""
	case status == http.StatusInsufficientStorage:
		return ingest.Exhausted, "the object store is full", "make room in the object store, then try again"
	case status == http.StatusForbidden, status == http.StatusUnauthorized:
		return ingest.Internal, "the S3 server refuses our credentials", "check the keys, the bucket's policy and the clock"
	case status >= http.StatusInternalServerError, status == http.StatusTooManyRequests, status == http.StatusRequestTimeout,
		status < http.StatusBadRequest: // an answer of success that broke off
		return ingest.Unavailable, "the S3 server cannot serve us now", ""
	}
	return ingest.Internal, "the S3 server refuses the request", ""
}

// isMissing tells whether err says that the object, the upload or the bucket is not there.
func isMissing(err error) bool {
	if err == nil {
		return false
	}
	if code := codeOf(err); code == "NoSuchUpload" || code == "NoSuchBucket" {
		return true
	}
	kind, _, _ := classify(err)
	return kind == ingest.NotFound
}

func codeOf(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}
