// etcd, built from its module: distributions ship 3.4, whose streaming lists the API server refuses.
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
