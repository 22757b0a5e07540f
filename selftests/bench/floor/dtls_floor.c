// SPDX-License-Identifier: GPL-2.0
/*
 * The bare AEAD, for the bench: seal or open one record's content over and
 * over, with everything set up beforehand but the nonce. Nothing that protects
 * a record in the kernel can cost less. With rekey the key is set before each
 * record, as it is where many peers share a cipher context.
 *
 * In /sys/module/dtls_floor/parameters: set name, key_len, size, entries and
 * rekey, then write to seal or open how often; the write returns when it is done.
 */
#include <linux/module.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <crypto/aead.h>

#define AAD_LEN		13
#define TAG_LEN		16
#define NONCE_ROOM	32
#define KEY_MAX		32

static char *name = "gcm(aes)";
module_param(name, charp, 0600);
MODULE_PARM_DESC(name, "the AEAD, as the crypto API calls it");

static unsigned int key_len = 16;
module_param(key_len, uint, 0600);
MODULE_PARM_DESC(key_len, "bytes");

static unsigned int size = 1400;
module_param(size, uint, 0600);
MODULE_PARM_DESC(size, "bytes of content");

static unsigned int entries = 1;
module_param(entries, uint, 0600);
MODULE_PARM_DESC(entries, "of the scatterlist: 1 or 2");

static bool rekey;
module_param(rekey, bool, 0600);
MODULE_PARM_DESC(rekey, "set the key before each record");

/* Additional data lie right before content and tag, in an entry with them or not. */
static void point(struct scatterlist *sg, u8 *record)
{
	unsigned int len = size + TAG_LEN;

	sg_init_table(sg, entries);
	if (entries == 1) {
		sg_set_buf(sg, record, AAD_LEN + len);
	} else {
		sg_set_buf(&sg[0], record, AAD_LEN);
		sg_set_buf(&sg[1], record + AAD_LEN, len);
	}
}

/*
 * @record is sealed in place. What is opened is what was sealed once, into
 * @other: a receiver leaves what it received as it is.
 */
static int loop(struct aead_request *req, u8 *record, u8 *other, u8 *nonce,
		const u8 *key, unsigned int rounds, bool seal)
{
	struct scatterlist *from = kmalloc_array(4, sizeof(*from), GFP_KERNEL);
	struct scatterlist *to = from + 2;
	struct crypto_wait wait;
	int err = 0;

	if (!from)
		return -ENOMEM;
	crypto_init_wait(&wait);
	aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_BACKLOG |
				  CRYPTO_TFM_REQ_MAY_SLEEP, crypto_req_done,
				  &wait);
	point(from, record);
	point(to, other);
	aead_request_set_ad(req, AAD_LEN);

	if (!seal) {
		aead_request_set_crypt(req, from, from, size, nonce);
		err = crypto_wait_req(crypto_aead_encrypt(req), &wait);
	}
	while (rounds-- && !err) {
		if (rekey)
			err = crypto_aead_setkey(crypto_aead_reqtfm(req), key,
						 key_len);
		if (err)
			break;
		if (seal) {
			++*(u32 *)nonce;
			aead_request_set_crypt(req, from, from, size, nonce);
			err = crypto_wait_req(crypto_aead_encrypt(req), &wait);
		} else {
			aead_request_set_crypt(req, from, to, size + TAG_LEN,
					       nonce);
			err = crypto_wait_req(crypto_aead_decrypt(req), &wait);
		}
	}
	kfree(from);
	return err;
}

static int run(const char *val, bool seal)
{
	unsigned int room = round_up(AAD_LEN + size + TAG_LEN, 64), rounds;
	struct aead_request *req = NULL;
	struct crypto_aead *aead;
	char algorithm[64];
	u8 *buf = NULL, *nonce, *key;
	int err;

	err = kstrtouint(val, 0, &rounds);
	if (err)
		return err;
	if (size > SZ_16K || key_len > KEY_MAX || !entries || entries > 2)
		return -EINVAL;
	strscpy(algorithm, name, sizeof(algorithm));
	aead = crypto_alloc_aead(strim(algorithm), 0, 0);
	if (IS_ERR(aead))
		return PTR_ERR(aead);
	buf = kzalloc(2 * room + NONCE_ROOM + KEY_MAX, GFP_KERNEL);
	req = aead_request_alloc(aead, GFP_KERNEL);
	err = -ENOMEM;
	if (buf && req) {
		nonce = buf + 2 * room;
		key = nonce + NONCE_ROOM;
		err = crypto_aead_setkey(aead, key, key_len) ?:
		      crypto_aead_setauthsize(aead, TAG_LEN) ?:
		      loop(req, buf, buf + room, nonce, key, rounds, seal);
	}
	aead_request_free(req);
	kfree(buf);
	crypto_free_aead(aead);
	return err;
}

static int set_seal(const char *val, const struct kernel_param *kp)
{
	return run(val, true);
}

static int set_open(const char *val, const struct kernel_param *kp)
{
	return run(val, false);
}

static const struct kernel_param_ops seal_ops = { .set = set_seal };
static const struct kernel_param_ops open_ops = { .set = set_open };
module_param_cb(seal, &seal_ops, NULL, 0200);
MODULE_PARM_DESC(seal, "write: seal so often");
module_param_cb(open, &open_ops, NULL, 0200);
MODULE_PARM_DESC(open, "write: open so often");

static int __init floor_init(void)
{
	return 0;
}

static void __exit floor_exit(void)
{
}

module_init(floor_init);
module_exit(floor_exit);

MODULE_DESCRIPTION("The bare AEAD, for the DTLS bench");
MODULE_LICENSE("GPL");
