// cert-manager's webhook and the controllers that a CertificateRequest meets,
// as one program. Upstream's own mains are modules that no proxy serves; the
// webhook's package is internal, which is why this module's path lies below
// upstream's.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	var err error

	ctx, stop := signal.NotifyContext(context.Background(),
		syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	switch {
	case len(os.Args) > 1 && os.Args[1] == "webhook":
		err = runWebhook(ctx, os.Args[2:])
	case len(os.Args) > 1 && os.Args[1] == "controller":
		err = runController(ctx, os.Args[2:])
	default:
		err = fmt.Errorf("usage: cert-manager webhook|controller [FLAG]...")
	}
	if err != nil && ctx.Err() == nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
