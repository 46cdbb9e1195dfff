"""Like: one user's like of one repo."""

from django.db import models

from hub.models.repo import Repo
from teams.models import User


class Like(models.Model):
    """``Repo.likes`` counts these rows."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="likes")
    repo = models.ForeignKey(Repo, on_delete=models.CASCADE, related_name="like_rows")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint("user", "repo", name="one_like_per_user_and_repo")]
        indexes = [models.Index("created_at", name="like_by_time")]

    def __str__(self) -> str:
        return f"{self.user} likes {self.repo}"
