"""What the runs of the paper's figures have in common (Elnekave and Weiss, ICLR 2025)."""

from tfwgan.program.config import Config

# What the paper's discrete GANs have in common: 64 atoms, a generator without convolutions, five
# critic steps at a rate of 1e-3. Ours differ where it was seen to bring the atoms nearer to the
# optimum: batches of 192, so that every atom is there three times; no momentum; and a generator
# whose rate falls to 0 while the critic's does not, so that the critic keeps up with it.
BASE = Config(
    z_prior="const=64",
    z_dim=64,
    gen_arch="FC",
    loss="wgan_gp",
    batch_size=192,
    g_opt="adam-lr=1e-3-beta_1=0-beta_2=0.9-schedule=linear",
    d_opt="adam-lr=1e-3-beta_1=0-beta_2=0.9",
    ema=0.995,
    gray_scale=True,
    image_steps=10**9,
    checkpoint_steps=200,
    keep_checkpoints=1,
)
