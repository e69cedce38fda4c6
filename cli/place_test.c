#include <tests/lib/test.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/magic.h>

#include "cli/place.h"

static void a_networks_file_system_is_told_from_a_disk(void **state)
{
	(void)state;
	assert_int_equal(cs_place_kind(NFS_SUPER_MAGIC), CS_PLACE_NETWORK);
	assert_int_equal(cs_place_kind(0xFE534D42L), CS_PLACE_NETWORK);
	assert_int_equal(cs_place_kind(V9FS_MAGIC), CS_PLACE_NETWORK);
	assert_int_equal(cs_place_kind(TMPFS_MAGIC), CS_PLACE_MEMORY);
	assert_int_equal(cs_place_kind(EXT4_SUPER_MAGIC), CS_PLACE_DISK);
	assert_int_equal(cs_place_kind(0), CS_PLACE_DISK);
}

static void a_folder_that_others_may_list_is_refused(void **state)
{
	static const struct {
		mode_t mode;
		enum cs_error_code code;
	} cases[] = {
		{0700, CS_E_NONE},	 {0711, CS_E_NONE},
		{0755, CS_E_PERMISSION}, {0750, CS_E_PERMISSION},
		{0702, CS_E_PERMISSION}, {0770, CS_E_PERMISSION},
	};
	char dir[] = "/tmp/cs-place-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(dir));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cs_error err = {0};

		assert_int_equal(chmod(dir, cases[i].mode), 0);
		assert_int_equal(cs_place_check(dir, NULL, &err),
				 cases[i].code == CS_E_NONE);
		assert_int_equal(err.code, cases[i].code);
	}
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_networks_file_system_is_told_from_a_disk),
		cmocka_unit_test(a_folder_that_others_may_list_is_refused),
	};

	return cs_test_run("cli/place", tests);
}
