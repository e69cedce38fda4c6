#include "issuer/weak_key.h"

#include <assert.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/err.h>

#include "base/mem.h"
#include "policy/facts.h"

/* Small factors are looked for among the odd primes below this. */
#define SIEVE	   65536
#define MAX_PRIMES 6541
#define ROUNDS	   110
#define MAX_OCTETS 512
/* The first primes, from 3 on, that all of Infineon's moduli share. */
#define ROCA_PRIMES    38
#define ROCA_GENERATOR 65537u

/* Primes whose product fits into 63 bits; its negative inverse mod 2^64. */
struct group {
	uint64_t product;
	uint64_t inverse;
	unsigned first, n; /* among the primes */
};

struct cs_weak_keys {
	BN_CTX *ctx;
	uint16_t primes[MAX_PRIMES];
	unsigned primes_n;
	struct group groups[MAX_PRIMES / 3 + 1];
	unsigned groups_n;
	/* Bit r of the k-th: r is a power of 65537 modulo the k-th prime. */
	uint64_t powers[ROCA_PRIMES][3];
};

/* -- tables -----------------------------------------------------------------
 */

/* The odd primes, by Eratosthenes' sieve over odd numbers. */
static void fill_primes(struct cs_weak_keys *w)
{
	uint8_t composite[SIEVE / 2] = {0}; /* of 2i + 1 */

	for (unsigned n = 3; n < SIEVE; n += 2) {
		if (composite[n / 2])
			continue;
		assert(w->primes_n < MAX_PRIMES);
		w->primes[w->primes_n++] = (uint16_t)n;
		for (uint64_t m = (uint64_t)n * n; m < SIEVE; m += 2 * n)
			composite[m / 2] = 1;
	}
}

/* -1/m modulo 2^64, for an odd m, by Newton's iteration. */
static uint64_t negative_inverse(uint64_t m)
{
	uint64_t x = m; /* right in three bits */

	for (int i = 0; i < 5; i++)
		x *= 2 - m * x;
	return (uint64_t)0 - x;
}

/* As many primes as fit into a product of 63 bits, group by group. */
static void fill_groups(struct cs_weak_keys *w)
{
	unsigned i = 0;

	while (i < w->primes_n) {
		struct group *g = &w->groups[w->groups_n++];

		g->first = i;
		g->product = 1;
		while (i < w->primes_n &&
		       g->product <= INT64_MAX / w->primes[i])
			g->product *= w->primes[i++];
		g->n = i - g->first;
		g->inverse = negative_inverse(g->product);
	}
}

/* The powers of 65537 modulo each of the first primes. */
static void fill_powers(struct cs_weak_keys *w)
{
	for (unsigned k = 0; k < ROCA_PRIMES; k++) {
		unsigned p = w->primes[k], r = 1;

		do {
			w->powers[k][r / 64] |= (uint64_t)1 << r % 64;
			r = r * (ROCA_GENERATOR % p) % p;
		} while (r != 1);
	}
}

void cs_weak_keys_free(struct cs_weak_keys *w)
{
	if (w == NULL)
		return;
	BN_CTX_free(w->ctx);
	cs_mem_free(w);
}

struct cs_weak_keys *cs_weak_keys_new(struct cs_error *err)
{
	struct cs_weak_keys *w = cs_mem_new(sizeof(*w));

	if (w == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for primes");
		return NULL;
	}
	w->ctx = BN_CTX_new();
	if (w->ctx == NULL) {
		cs_error_set(err, CS_E_NO_MEMORY, "no memory for numbers");
		ERR_clear_error();
		cs_weak_keys_free(w);
		return NULL;
	}
	fill_primes(w);
	fill_groups(w);
	fill_powers(w);
	return w;
}

/* -- small factors and ROCA: machine words ----------------------------------
 */

/* A big-endian number as 64-bit limbs, the least significant first. */
static size_t to_limbs(struct cs_span number, uint64_t limbs[MAX_OCTETS / 8])
{
	size_t n = (number.n + 7) / 8;

	memset(limbs, 0, n * sizeof(limbs[0]));
	for (size_t i = 0; i < number.n; i++)
		limbs[i / 8] |= (uint64_t)number.p[number.n - 1 - i]
				<< 8 * (i % 8);
	return n;
}

/*
 * Zero modulo a factor of the product exactly if the number is: Montgomery's
 * reduction, limb by limb, which multiplies by a power of 2^-64 on the way.
 */
static uint64_t reduce(const uint64_t *limbs, size_t n, const struct group *g)
{
	uint64_t r = 0;

	for (size_t i = 0; i < n; i++) {
		__extension__ unsigned __int128 t = limbs[i];
		uint64_t q;

		t += r;
		q = (uint64_t)t * g->inverse;
		/* The low halves cancel; their carry is one unless zero. */
		r = (uint64_t)(t >> 64) + ((uint64_t)t != 0);
		t = q;
		t *= g->product;
		r += (uint64_t)(t >> 64);
	}
	return r;
}

static bool has_small_factor(const struct cs_weak_keys *w,
			     const uint64_t *limbs, size_t n)
{
	for (unsigned i = 0; i < w->groups_n; i++) {
		const struct group *g = &w->groups[i];
		uint64_t r = reduce(limbs, n, g);

		for (unsigned k = 0; k < g->n; k++) {
			if (r % w->primes[g->first + k] == 0)
				return true;
		}
	}
	return false;
}

/* The number modulo a small one. */
static unsigned modulo(const uint64_t *limbs, size_t n, unsigned m)
{
	uint64_t r = 0;

	while (n-- > 0) {
		r = (r << 32 | limbs[n] >> 32) % m;
		r = (r << 32 | (limbs[n] & 0xffffffff)) % m;
	}
	return (unsigned)r;
}

static bool is_roca(const struct cs_weak_keys *w, const uint64_t *limbs,
		    size_t n)
{
	for (unsigned k = 0; k < ROCA_PRIMES; k++) {
		unsigned r = modulo(limbs, n, w->primes[k]);

		if ((w->powers[k][r / 64] >> r % 64 & 1) == 0)
			return false;
	}
	return true;
}

/* -- Fermat: numbers of any size --------------------------------------------
 */

/* Rounded down, by Newton's iteration from above. */
static bool square_root(BIGNUM *root, const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *x, *y;
	bool ok = true;

	BN_CTX_start(ctx);
	x = BN_CTX_get(ctx);
	y = BN_CTX_get(ctx);
	ok = y != NULL && BN_set_word(x, 0) == 1 &&
	     BN_set_bit(x, (BN_num_bits(n) + 1) / 2) == 1;
	while (ok) {
		ok = BN_div(y, NULL, n, x, ctx) == 1 && BN_add(y, y, x) == 1 &&
		     BN_rshift1(y, y) == 1;
		if (ok && BN_cmp(y, x) >= 0)
			break;
		BN_swap(x, y);
	}
	ok = ok && BN_copy(root, x) != NULL;
	BN_CTX_end(ctx);
	return ok;
}

/* Can it be a square? Eleven of twelve are ruled out by 64, more by 45045. */
static bool may_be_square(const BIGNUM *n)
{
	static const unsigned moduli[] = {64, 63, 65, 11, 17, 19};

	for (size_t i = 0; i < sizeof(moduli) / sizeof(moduli[0]); i++) {
		unsigned m = moduli[i];
		unsigned r = (unsigned)BN_mod_word(n, m), x = 0;

		while (x < m && x * x % m != r)
			x++;
		if (x == m)
			return false;
	}
	return true;
}

/* *ret_is: is it a square? False: OpenSSL failed. */
static bool check_square(const BIGNUM *n, BN_CTX *ctx, bool *ret_is)
{
	BIGNUM *root;
	bool ok = true;

	*ret_is = false;
	if (!may_be_square(n))
		return true;
	BN_CTX_start(ctx);
	root = BN_CTX_get(ctx);
	ok = root != NULL && square_root(root, n, ctx) &&
	     BN_sqr(root, root, ctx) == 1;
	*ret_is = ok && BN_cmp(root, n) == 0;
	BN_CTX_end(ctx);
	return ok;
}

/* a^2 - n for a from the root of n up: a square gives the factors away. */
static bool fermat(const BIGNUM *n, BN_CTX *ctx, bool *ret_weak)
{
	BIGNUM *a, *b2, *step;
	bool ok;

	BN_CTX_start(ctx);
	a = BN_CTX_get(ctx);
	b2 = BN_CTX_get(ctx);
	step = BN_CTX_get(ctx);
	ok = step != NULL && square_root(a, n, ctx) && BN_sqr(b2, a, ctx) == 1;
	*ret_weak = ok && BN_cmp(b2, n) == 0;
	ok = ok && BN_add_word(a, 1) == 1 && BN_sqr(b2, a, ctx) == 1 &&
	     BN_sub(b2, b2, n) == 1 && BN_lshift1(step, a) == 1 &&
	     BN_add_word(step, 1) == 1;
	for (int i = 0; ok && !*ret_weak && i < ROUNDS; i++) {
		/* (a + 1)^2 - n is larger by 2a + 1. */
		ok = check_square(b2, ctx, ret_weak) &&
		     BN_add(b2, b2, step) == 1 && BN_add_word(step, 2) == 1;
	}
	BN_CTX_end(ctx);
	return ok;
}

bool cs_weak_keys_check(struct cs_weak_keys *w, struct cs_span modulus,
			unsigned *ret_weak, struct cs_error *err)
{
	uint64_t limbs[MAX_OCTETS / 8];
	bool close = false, ok;
	unsigned weak = 0;
	BIGNUM *n;
	size_t k;

	if (modulus.n == 0 || modulus.n > MAX_OCTETS)
		return cs_error_set(err, CS_E_ARGUMENT,
				    "a modulus of %zu octets", modulus.n);
	n = BN_bin2bn(modulus.p, (int)modulus.n, NULL);
	ok = n != NULL && fermat(n, w->ctx, &close);
	BN_free(n);
	if (!ok) {
		ERR_clear_error();
		return cs_error_set(err, CS_E_CRYPTO,
				    "OpenSSL could not look at a modulus");
	}
	k = to_limbs(modulus, limbs);
	if (close)
		weak |= CS_WEAK_FERMAT;
	if (has_small_factor(w, limbs, k))
		weak |= CS_WEAK_SMALL_FACTORS;
	if (is_roca(w, limbs, k))
		weak |= CS_WEAK_ROCA;
	*ret_weak = weak;
	return true;
}
