package main

import (
	"context"
	"flag"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	logf "github.com/cert-manager/cert-manager/pkg/logs"
)

// runAll runs every controller that is compiled in. A failed issuance is
// tried again after seconds where upstream waits an hour, so that a test can
// see it.
func runAll(ctx context.Context, opts controller.ContextOptions) error {
	factory, err := controller.NewContextFactory(ctx, opts)
	if err != nil {
		return err
	}
	shared, err := factory.Build()
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	for name, construct := range controller.Known() {
		built, err := construct(factory)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		group.Go(func() error { return built.Run(5, ctx) })
	}
	shared.SharedInformerFactory.Start(ctx.Done())
	shared.KubeSharedInformerFactory.Start(ctx.Done())
	shared.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	return group.Wait()
}

func controllerOptions(args []string) (controller.ContextOptions, error) {
	var opts controller.ContextOptions

	flags := flag.NewFlagSet("controller", flag.ContinueOnError)
	flags.StringVar(&opts.Kubeconfig, "kubeconfig", "", "of the API server")
	flags.StringVar(&opts.ClusterResourceNamespace,
		"cluster-resource-namespace", "cert-manager", "of secrets")
	flags.DurationVar(&opts.CertificateRequestMinimumBackoffDuration,
		"min-backoff", 5*time.Second, "after a failed issuance")
	flags.DurationVar(&opts.CertificateRequestMaximumBackoffDuration,
		"max-backoff", 10*time.Second, "after failed issuances")
	opts.KubernetesAPIQPS, opts.KubernetesAPIBurst = 100, 200
	return opts, flags.Parse(args)
}

func runController(ctx context.Context, args []string) error {
	opts, err := controllerOptions(args)
	if err != nil {
		return err
	}
	return runAll(logf.NewContext(ctx, logf.Log, "controller"), opts)
}
