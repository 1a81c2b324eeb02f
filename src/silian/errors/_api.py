"""Wording of errors of the API."""

from typing import Final

MESSAGES: Final[dict[str, tuple[str, str]]] = {
    "api.parameter": (
        "The parameter {name} is not taken here: {found}. Look it up in the documentation of the address.",
        "此处不接受参数 {name}：{found}。请查阅该地址的说明。",
    ),
    "api.cursor": (
        "The cursor is none of this list. Begin again without it, or follow the address that the page before gave.",
        "游标不属于这个列表。请去掉游标重新开始，或使用上一页给出的地址。",
    ),
    "api.json": ("The body is not the JSON that is taken here: {found}.", "请求内容不是此处可用的 JSON：{found}。"),
    "api.text": (
        "A text holds NUL or half a character. Take it out and send it again.",
        "文本中含有空字符（NUL）或不完整的字符，请去除后重新发送。",
    ),
    "api.version": (
        "There is no version {found} of the API. There is: {known}.",
        "接口没有 {found} 这个版本。现有版本：{known}。",
    ),
    "api.key": (
        "Idempotency-Key takes 1 to 100 visible ASCII characters, such as a UUID.",
        "Idempotency-Key 应为 1–100 个可见的 ASCII 字符，例如一个 UUID。",
    ),
    "api.request": ("The request cannot be read.", "请求无法识别。"),
    "api.token": (
        "This asks for a token, or the one given opens nothing: unknown, expired or revoked. Make one on the page "
        "of tokens and send it as Authorization: Bearer.",
        "需要令牌，或所给令牌无效（不存在、已到期或已撤销）。请在“接口令牌”页创建，并以 Authorization: Bearer 发送。",
    ),
    "api.scope": (
        "The token lacks the scope {scope}. Make one that has it.",
        "令牌不含 {scope} 这一范围。请另建含此范围的令牌。",
    ),
    "api.second_factor": (
        "Your post asks for a second factor. Set one up before you use tokens.",
        "您的岗位须启用两步验证，启用后方可使用令牌。",
    ),
    "api.tokens_full": (
        "You have {most} open tokens already. Revoke one that is not needed any more.",
        "您已有 {most} 个有效令牌。请先撤销不再需要的。",
    ),
    "api.token_made": (
        "This form has made its token already. It was shown once; revoke it and make another if it is lost.",
        "这张表单已经创建过令牌，且只显示一次。如已丢失，请撤销后重新创建。",
    ),
    "api.rights": ("You may not do this.", "您没有这项权限。"),
    "api.missing": (
        "There is nothing here, or nothing that you may see.",
        "这里没有内容，或没有您可以查看的内容。",
    ),
    "api.method": (
        "The address does not know this method; Allow says which it knows.",
        "该地址不支持这种方法，可用的方法见 Allow。",
    ),
    "api.stale": (
        "The record has changed since the version that you saw. Look at both values, decide, and send it again with "
        "the present version.",
        "您读取之后，记录已被修改。请比较双方的值后再定，并以当前版本重新发送。",
    ),
    "api.state": (
        "This cannot be done: it is {found}. Read it again and look at its state.",
        "当前状态为 {found}，不能这样做。请重新读取并查看状态。",
    ),
    "api.deletions": (
        "This would delete {count} record(s). Say that number as deletions if it is meant.",
        "这样会删除 {count} 条记录。如确有此意，请在 deletions 中写明这个数。",
    ),
    "api.waiting": (
        "You have {most} files in preparation. Fetch these first.",
        "您已有 {most} 个文件正在准备，请稍候。",
    ),
    "api.code_taken": (
        "Another organisation has this code. If it is to be saved all the same, say why in shared_code_reason.",
        "另一条记录已使用这个统一社会信用代码。如仍要保存，请在 shared_code_reason 中写明理由。",
    ),
    "api.too_large": ("The body is larger than {most}.", "请求内容超过 {most}。"),
    "api.media": ("The body must be {wanted}.", "请求内容的类型应为 {wanted}。"),
    "api.values": ("Some values cannot be taken; errors says which and why.", "有的值不能接受，errors 中逐项说明。"),
    "api.lacking": (
        "It cannot be published before these are filled in: {columns}.",
        "还不能发布，请先填好：{columns}。",
    ),
    "api.replay": (
        "Something else was sent under this Idempotency-Key. Take a new key for what is new.",
        "这个 Idempotency-Key 已用于另一个请求。新的请求请换用新的键。",
    ),
    "api.precondition": (
        "Say which version you saw: If-Match with the ETag of the record, or version in the body.",
        "请说明您读取的版本：以 If-Match 给出记录的 ETag，或在内容中给出 version。",
    ),
    "api.limit": (
        "Too many requests. Go on in {seconds} seconds.",
        "请求过于频繁，请在 {seconds} 秒后继续。",
    ),
    "api.broken": (
        "Something went wrong here. Tell the operator this number: {number}.",
        "本站出错了。请将此编号告知管理员：{number}。",
    ),
}
