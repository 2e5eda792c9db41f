// Makes bbolt-1.3.6.db and, on standard output, bbolt-1.3.6.entries: pages of branches, further pages and a bucket within its leaf.
// On Debian 12 with golang-go and golang-github-coreos-bbolt-dev:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go run fixture.go bbolt-1.3.6.db >bbolt-1.3.6.entries

package main

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"os"

	bolt "go.etcd.io/bbolt"
)

func digest(text string) []byte { sum := sha256.Sum256([]byte(text)); return sum[:] }

func appendUvarint(to []byte, n uint64) []byte {
	var b [binary.MaxVarintLen64]byte
	return append(to, b[:binary.PutUvarint(b[:], n)]...)
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// A record: field 1 with so many bytes, field 2 with a time.
func record(n int, length int) []byte {
	data := make([]byte, length)
	for i := range data {
		data[i] = byte(n + i)
	}
	out := appendUvarint([]byte{0x0a}, uint64(length))
	out = append(out, data...)
	out = append(out, 0x10)
	return appendUvarint(out, uint64(1600000000+n))
}

func main() {
	db, err := bolt.Open(os.Args[1], 0600, &bolt.Options{PageSize: 1024})
	check(err)
	put := func(owner string, n int, length int) {
		check(db.Update(func(tx *bolt.Tx) error {
			tokens, err := tx.CreateBucketIfNotExists([]byte("tokens"))
			check(err)
			bucket, err := tokens.CreateBucketIfNotExists(digest(owner))
			check(err)
			key := append([]byte("t."), digest(fmt.Sprint(owner, n))...)
			value := record(n, length)
			fmt.Printf("%x %x %x\n", digest(owner), key, value)
			return bucket.Put(key, value)
		}))
	}
	for n := 0; n < 60; n++ {
		put("clientmany", n, 100)
	}
	put("clientinline", 0, 40)
	put("clientlong", 0, 3000)
	put("clientlong", 1, 100)
	check(db.Close())
}
