//go:build linux

package devstack

import (
	"errors"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// account is whom PostgreSQL runs as: ourselves, or somebody unprivileged when we are root, whom it refuses.
type account struct {
	name     string
	uid, gid int
	switched bool // we are root and become this account
}

// postgresAccount chooses the account: the data's owner where there is data, else the system's postgres, else nobody.
func postgresAccount(dataDir string) (account, error) {
	me := account{name: "uid " + strconv.Itoa(os.Geteuid()), uid: os.Geteuid(), gid: os.Getegid()}
	owner, err := ownerOf(dataDir)
	switch {
	case err == nil && me.uid != 0 && owner.uid != me.uid:
		return account{}, &Error{
			Op: "devstack", Err: errors.New(dataDir + " belongs to another user"),
			Hint: "run dropline as the user that made the data directory, or as root, or choose another directory",
		}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return account{}, &Error{Op: "devstack: looking at " + dataDir, Err: err, Hint: diskHint(err)}
	case me.uid != 0:
		return me, nil
	case err == nil && owner.uid != 0:
		owner.switched = true
		return owner, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.Atoi(u.Uid)
		gid, gidErr := strconv.Atoi(u.Gid)
		if uidErr == nil && gidErr == nil && uid != 0 {
			return account{name: name, uid: uid, gid: gid, switched: true}, nil
		}
	}
	return account{}, &Error{
		Op: "devstack", Err: errors.New("PostgreSQL refuses to run as root, and there is neither a postgres nor a nobody user"),
		Hint: "run dropline as an ordinary user",
	}
}

func ownerOf(path string) (account, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return account{}, err
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return account{}, errors.New("the file system tells no owner")
	}
	return account{name: "uid " + strconv.Itoa(int(st.Uid)), uid: int(st.Uid), gid: int(st.Gid)}, nil
}

func (a account) credential() *syscall.Credential {
	if !a.switched {
		return nil
	}
	return &syscall.Credential{Uid: uint32(a.uid), Gid: uint32(a.gid)} // ids of the kernel's are 32 bits
}

// own gives path to the account.
func (a account) own(path string) error {
	if !a.switched {
		return nil
	}
	return os.Lchown(path, a.uid, a.gid)
}

// canReach tells whether the account may pass through every directory above path. It goes by mode bits; where an
// access list says more, the answer errs towards no, which costs nothing.
func (a account) canReach(path string) bool {
	if !a.switched {
		return true
	}
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		fi, err := os.Stat(dir)
		if err != nil {
			return false
		}
		st, ok := fi.Sys().(*syscall.Stat_t)
		if !ok {
			return false
		}
		var pass fs.FileMode = 0o001
		if int(st.Uid) == a.uid {
			pass = 0o100
		} else if int(st.Gid) == a.gid {
			pass = 0o010
		}
		if fi.Mode().Perm()&pass == 0 {
			return false
		}
		if dir == filepath.Dir(dir) {
			return true
		}
	}
}
